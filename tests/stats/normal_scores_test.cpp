#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lapse/stats/normal_scores.hpp>
#include <vector>

namespace lapse::stats {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(NormalScores, are_normal_quantiles_of_the_ranks_in_the_order_of_the_series) {
  EXPECT_THAT(normal_scores(std::vector{5.0, 1e9, -3.0}),
              ElementsAre(DoubleNear(0.0, 1e-12), DoubleNear(0.6744897502, 1e-9), DoubleNear(-0.6744897502, 1e-9)));
}

TEST(NormalScores, of_equal_values_are_equal) {
  EXPECT_THAT(normal_scores(std::vector{2.0, 1.0, 2.0, 2.0}), ElementsAre(DoubleNear(0.2533471031, 1e-9), DoubleNear(-0.8416212336, 1e-9),
                                                                          DoubleNear(0.2533471031, 1e-9), DoubleNear(0.2533471031, 1e-9)));
}

TEST(NormalScores, of_none_and_one) {
  EXPECT_TRUE(normal_scores({}).empty());
  EXPECT_THAT(normal_scores(std::vector{7.0}), ElementsAre(0.0));
}

}  // namespace
}  // namespace lapse::stats
