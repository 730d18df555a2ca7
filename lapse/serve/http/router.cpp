#include <algorithm>
#include <lapse/serve/http/exchange.hpp>
#include <lapse/serve/http/text.hpp>

namespace lapse::serve::http {
namespace {

template <class Text>
std::vector<Text> segments_of(std::string_view path) {
  std::vector<Text> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_name(std::string_view segment) { return segment.starts_with('{'); }

// "." and ".." would mean another path to whoever stands between the client and us.
std::optional<std::string> part_of(std::string_view segment) {
  auto part = percent_decode(segment);
  if (!part || part->empty() || *part == "." || *part == ".." || part->find('/') != std::string::npos || has_control(*part))
    return std::nullopt;
  return part;
}

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path) {
  return std::equal(pattern.begin(), pattern.end(), path.begin(), path.end(), [](const std::string& wanted, std::string_view given) {
    return is_name(wanted) ? part_of(given).has_value() : wanted == given;
  });
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler) {
  Route route{std::move(method), std::move(pattern), {}, std::move(handler)};
  route.segments = segments_of<std::string>(route.pattern);
  // What is spelt out stands before what is named, so that /v2/models/stats is not taken for a model of that name.
  const auto before = [](const Route& a, const Route& b) {
    return std::lexicographical_compare(a.segments.begin(), a.segments.end(), b.segments.begin(), b.segments.end(),
                                        [](const std::string& x, const std::string& y) { return !is_name(x) && is_name(y); });
  };
  routes_.insert(std::upper_bound(routes_.begin(), routes_.end(), route, before), std::move(route));
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  Match match;
  if (!path.starts_with('/')) return match;
  const auto segments = segments_of<std::string_view>(path);
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  const auto allow = [&match](std::string_view one) {
    if (std::find(match.allowed.begin(), match.allowed.end(), one) == match.allowed.end()) match.allowed.emplace_back(one);
  };
  for (const Route& route : routes_) {
    if (!fits(route.segments, segments)) continue;
    if (match.pattern.empty()) match.pattern = route.pattern;
    if (route.method == wanted) {
      match.handler = &route.handler;
      match.pattern = route.pattern;
      for (std::size_t i = 0; i < segments.size(); ++i) {
        const std::string& name = route.segments[i];
        if (is_name(name)) match.parts.emplace(name.substr(1, name.size() - 2), *part_of(segments[i]));
      }
      match.allowed.clear();
      return match;
    }
    allow(route.method);
    if (route.method == "GET") allow("HEAD");
  }
  if (!match.allowed.empty()) allow("OPTIONS");
  return match;
}

std::vector<std::pair<std::string, std::string>> Router::routes() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Route& route : routes_) all.emplace_back(route.method, route.pattern);
  return all;
}

}  // namespace lapse::serve::http
