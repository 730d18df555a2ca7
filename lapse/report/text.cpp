#include <lapse/report/outline.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/text_page.hpp>

namespace lapse::report {

std::string to_text(const Report& report, Language language, bool unicode) {
  const Outline content = outline(report, unicode ? language : Language::English);  // there is no Korean in ASCII
  TextPage page(unicode);
  for (const std::string& alert : content.alerts) page.alert(alert);
  page.line(content.title, 2);
  page.rows(content.setup);
  page.blank();
  page.rows(content.before);
  page.blank();
  if (content.throughput_first) {
    page.row(content.throughput);
    page.blank();
  }
  page.latency(content.latency);
  if (!content.latency.submit_alone.empty()) page.remark(content.latency.submit_alone);
  page.blank();
  if (!content.idle.rows.empty()) {
    page.table(content.idle);
    page.blank();
  }
  if (!content.throughput_first) page.row(content.throughput);
  page.rows(content.after);
  page.warnings(content.warnings);
  return page.take();
}

}  // namespace lapse::report
