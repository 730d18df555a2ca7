#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <lapse/stats/student.hpp>

namespace lapse::stats {

double student_quantile(double p, double degrees) { return boost::math::quantile(boost::math::students_t(degrees), p); }

double noncentral_student_quantile(double p, double degrees, double noncentrality) {
  return boost::math::quantile(boost::math::non_central_t(degrees, noncentrality), p);
}

double student_two_sided(double t, double degrees) {
  if (std::isinf(t)) return 0.0;
  return 2.0 * boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), std::abs(t)));
}

}  // namespace lapse::stats
