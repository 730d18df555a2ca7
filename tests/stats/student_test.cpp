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

TEST(Student, a_two_sided_p_value_knows_no_sign) {
  EXPECT_NEAR(student_two_sided(2.776445105, 4), 0.05, 1e-9);
  EXPECT_NEAR(student_two_sided(-2.776445105, 4), 0.05, 1e-9);
  EXPECT_DOUBLE_EQ(student_two_sided(0.0, 3), 1.0);
  EXPECT_DOUBLE_EQ(student_two_sided(std::numeric_limits<double>::infinity(), 3), 0.0);
}

}  // namespace
}  // namespace lapse::stats
