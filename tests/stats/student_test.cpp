#include <gtest/gtest.h>

#include <lapse/stats/student.hpp>
#include <limits>

namespace lapse::stats {
namespace {

// Table of R's qt and pt.
TEST(Student, quantiles_are_those_of_the_tables) {
  EXPECT_NEAR(student_quantile(0.975, 4), 2.776445105, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 19), 2.093024054, 1e-9);
  EXPECT_NEAR(student_quantile(0.025, 19), -2.093024054, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 1e6), 1.959966, 1e-5);
}

TEST(Student, noncentral_quantiles_contain_the_central_ones) {
  EXPECT_NEAR(noncentral_student_quantile(0.9, 5, 0.0), 1.475884049, 1e-8);
  EXPECT_NEAR(noncentral_student_quantile(0.5, 1e6, 2.0), 2.0, 1e-5);      // a normal about its mean
  EXPECT_NEAR(noncentral_student_quantile(0.9, 5, 2.570582), 5.19, 0.01);  // by 2 million draws
}

TEST(Student, a_two_sided_p_value_knows_no_sign) {
  EXPECT_NEAR(student_two_sided(2.776445105, 4), 0.05, 1e-9);
  EXPECT_NEAR(student_two_sided(-2.776445105, 4), 0.05, 1e-9);
  EXPECT_DOUBLE_EQ(student_two_sided(0.0, 3), 1.0);
  EXPECT_DOUBLE_EQ(student_two_sided(std::numeric_limits<double>::infinity(), 3), 0.0);
}

}  // namespace
}  // namespace lapse::stats
