#include <gtest/gtest.h>

#include <lapse/report/render.hpp>

#include "report/example.hpp"

namespace lapse::report {
namespace {

TEST(Csv, HasOneRowARunInWholeNanoseconds) {
  Report report;
  report.samples = {{5e6, 6000000.4}, {50e3, 51e3}, {4.9e6, 5.9e6}};
  EXPECT_EQ(to_csv(report), "run,end_to_end_ns,submit_ns,device_ns,disturbed\n1,5000000,50000,4900000,\n2,6000000,51000,5900000,\n");
}

TEST(Csv, HasAColumnMoreForEachStage) {
  Report report;
  report.samples = {{5e6}, {50e3}, {4e6}, {600e3}, {400e3}, {0}};
  EXPECT_EQ(to_csv(report), "run,end_to_end_ns,submit_ns,device_ns,h2d_ns,d2h_ns,disturbed\n1,5000000,50000,4000000,600000,400000,\n");
}

TEST(Csv, SaysOfEachRunWhatDisturbedIt) {
  Report report;
  report.samples = {{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}};
  report.samples.tags = {{1, 2, 1}, {3, 1, 5}};
  EXPECT_EQ(to_csv(report),
            "run,end_to_end_ns,submit_ns,device_ns,disturbed\n1,1,1,1,\n2,2,2,2,steal\n3,3,3,3,steal\n4,4,4,4,steal+preempted\n5,5,5,5,\n");
}

TEST(Csv, SaysOfEachRunWhichProcessItWasIn) {
  Report report;
  report.samples = {{5, 6, 7}, {1, 1, 1}, {4, 5, 6}};
  report.processes.resize(3);
  report.processes[0].count = 2;
  report.processes[2].count = 1;
  EXPECT_EQ(to_csv(report), "run,end_to_end_ns,submit_ns,device_ns,disturbed,process\n1,5,1,4,,1\n2,6,1,5,,1\n3,7,1,6,,3\n");
}

TEST(Csv, RunsAfterPausesFollowTheOthers) {
  Report report;
  report.samples = {{5, 6}, {1, 1}, {4, 5}};
  report.idle = {{0, 0, 0, {{5}, {1}, {4}}, {}}, {10e6, 10e6, 0, {{8, 9}, {1, 1}, {7, 8}}, {}}};
  EXPECT_EQ(
      to_csv(report),
      "run,end_to_end_ns,submit_ns,device_ns,disturbed,gap_ns\n1,5,1,4,,\n2,6,1,5,,\n3,5,1,4,,0\n4,8,1,7,,10000000\n5,9,1,8,,10000000\n");
}

TEST(Csv, IsAHeaderWhenNothingWasRun) { EXPECT_EQ(to_csv(Report{}), "run,end_to_end_ns,submit_ns,device_ns,disturbed\n"); }

}  // namespace
}  // namespace lapse::report
