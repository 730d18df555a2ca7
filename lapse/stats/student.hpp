#pragma once
// Student's t distribution, by Boost.Math. Degrees of freedom need not be whole (Welch).

namespace lapse::stats {

/// t with P(T ≤ t) = p. 0 < p < 1, degrees > 0.
double student_quantile(double p, double degrees);
/// The same of a noncentral T = (Z + noncentrality) / sqrt(V / degrees), Z standard normal, V chi-square.
double noncentral_student_quantile(double p, double degrees, double noncentrality);
/// P(|T| ≥ |t|): the p-value of a two-sided test. degrees > 0; t may be infinite.
double student_two_sided(double t, double degrees);

}  // namespace lapse::stats
