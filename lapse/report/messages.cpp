// Glossary, so that one thing has one name everywhere:
//
//   latency 지연 시간            median 중앙값             95 % interval 95 % 신뢰구간    percentile 백분위
//   mean 평균                    min, max 최솟값, 최댓값   run 실행 (N회)                 warm-up 예열
//   cold start 콜드 스타트       load 로드                 inference 추론                 throughput 처리량
//   submit 제출                  device 장치               end-to-end 종단 간             in flight 동시 진행
//   batch 배치                   thread 스레드             memory peak 메모리 최대        budget 시간 예산
//   tolerance 허용 오차          expected output 기대 출력 dynamic dimension 동적 차원    random 무작위
//   stream 스트림                forward 순전파            graph 그래프                   audit 점검
//   side stream 보조 스트림      mark 마크                 gap 틈                         join 합류
//   control group 컨트롤 그룹    governor 거버너           clock (of a CPU) 클럭          clock (time) 시계
//   sweep 스윕                   point (of a sweep) 측정점 Pareto front 파레토 최적       knee 무릎점
//   process 프로세스             margin 허용 폭            faster, slower 빨라짐, 느려짐  equivalent 동등
//   undecided 판단 불가          noise 잡음                ratio 비                       tail (of times) 꼬리
//
// Korean sentences end in -ㅂ니다, hints in -세요. A particle never follows a fact directly where its form would depend on the fact.

#include <algorithm>
#include <array>
#include <lapse/report/messages.hpp>

namespace lapse::report {
namespace {

struct TextRow {
  Text text;
  std::string_view english, korean;
};

constexpr std::array kTexts{
    TextRow{Text::Interrupted, "INTERRUPTED: this is what had been measured until then", "중단됨: 그때까지 측정한 결과입니다"},
    TextRow{Text::Failed, "FAILED: this is what had been measured until then", "실패: 그때까지 측정한 결과입니다"},
    TextRow{Text::NoSteadyState, "NO STEADY STATE: no one number says how long this takes",
            "정상 상태 없음: 걸리는 시간을 한 숫자로 말할 수 없습니다"},
    TextRow{Text::TimesWrong, "these times are wrong: {reason}", "이 시간은 틀린 값입니다: {reason}"},
    TextRow{Text::Thread, "1 thread", "스레드 1개"},
    TextRow{Text::Threads, "{n} threads", "스레드 {n}개"},
    TextRow{Text::Batch, "batch {n}", "배치 {n}"},
    TextRow{Text::Run, "1 run", "1회 실행"},
    TextRow{Text::Runs, "{n} runs", "{n}회 실행"},
    TextRow{Text::Set, "1 set", "1세트"},
    TextRow{Text::Sets, "{n} sets", "{n}세트"},
    TextRow{Text::Input, "input", "입력"},
    TextRow{Text::MoreInputs, "and {n} more", "그 밖에 {n}개"},
    TextRow{Text::Answer, "answer", "정답 확인"},
    TextRow{Text::AnswerCorrect, "correct: {sets} within rtol {rtol}, atol {atol}",
            "맞음: {sets}, 허용 오차 rtol {rtol}, atol {atol} 이내"},
    TextRow{Text::AnswerRandom, "random: differs on the same input, so it can't be checked",
            "무작위: 같은 입력에도 출력이 달라 확인할 수 없음"},
    TextRow{Text::AnswerUnchecked, "not checked", "확인하지 않음"},
    TextRow{Text::ColdStart, "cold start", "콜드 스타트"},
    TextRow{Text::ColdStartValue, "load {load}, first inference {first}", "로드 {load}, 첫 추론 {first}"},
    TextRow{Text::ColdStartFirst, "first call {first}", "첫 호출 {first}"},
    TextRow{Text::Warmup, "warm-up", "예열"},
    TextRow{Text::WarmupFlat, "{runs} discarded[ as asked{asked}], then steady[; they cost {cost} more]",
            "{runs} 제외[(지정한 횟수){asked}], 이후 안정됨[, 추가로 든 시간 {cost}]"},
    TextRow{Text::WarmupCold, "{runs} discarded as asked, and warm-up went on", "{runs} 제외 (지정한 횟수), 이후에도 예열이 이어짐"},
    TextRow{Text::WarmupSlowdown, "{runs} discarded[ as asked{asked}], then it SLOWED DOWN",
            "{runs} 제외[(지정한 횟수){asked}], 이후 느려짐"},
    TextRow{Text::WarmupNoSteadyState, "{runs} discarded[ as asked{asked}], then NO STEADY STATE",
            "{runs} 제외[(지정한 횟수){asked}], 이후 정상 상태 없음"},
    TextRow{Text::WarmupTooShort, "{runs} discarded[ as asked{asked}], then too few to tell whether they were steady",
            "{runs} 제외[(지정한 횟수){asked}], 이후 안정되었는지 알기에는 너무 적음"},
    TextRow{Text::Latency, "latency ({runs})", "지연 시간 ({runs})"},
    TextRow{Text::LatencyMedians, "latency (medians of {runs})", "지연 시간 ({runs}의 중앙값)"},
    TextRow{Text::LatencyUnderLoad, "latency under load, {n} in flight ({runs})", "부하 중 지연 시간, 동시 진행 {n}개 ({runs})"},
    TextRow{Text::Interval, "95 % interval", "95 % 신뢰구간"},
    TextRow{Text::Value, "value", "값"},
    TextRow{Text::Median, "median", "중앙값"},
    TextRow{Text::Mean, "mean", "평균"},
    TextRow{Text::Extremes, "min {min}, max {max}", "최솟값 {min}, 최댓값 {max}"},
    TextRow{Text::NeedsRuns, "needs ≥ {n} runs", "{n}회 이상 실행해야 합니다"},
    TextRow{Text::HistogramToP99, "{range} (min … p99)", "{range} (최솟값 … p99)"},
    TextRow{Text::HistogramToMax, "{range} (min … max)", "{range} (최솟값 … 최댓값)"},
    TextRow{Text::Submit, "submit", "제출"},
    TextRow{Text::Device, "device", "장치"},
    TextRow{Text::EndToEnd, "end-to-end", "종단 간"},
    TextRow{Text::SubmitAlone, "without synchronising you would have read {submit}: {factor}× too small",
            "동기화하지 않았다면 {submit}, 실제보다 {factor}배 작은 값이 나왔을 것입니다"},
    TextRow{Text::SubmitLooksRight, "without synchronising you would have read {submit}: this call waits for nearly all of its work",
            "동기화하지 않아도 {submit}: 이 호출은 작업이 거의 끝날 때까지 기다립니다"},
    TextRow{Text::H2D, "H2D", "H2D"},
    TextRow{Text::D2H, "D2H", "D2H"},
    TextRow{Text::Timed, "timed", "측정 범위"},
    TextRow{Text::TimedTransfers, "H2D, forward and D2H ({transfers} host memory)", "H2D, 순전파, D2H (호스트 메모리: {transfers})"},
    TextRow{Text::TimedForward, "forward only: inputs lie on the device, outputs stay there",
            "순전파만: 입력은 장치에 있고 출력도 장치에 남음"},
    TextRow{Text::TimedAll, "all that a call submits, in one piece", "호출 한 번이 제출하는 작업 전부"},
    TextRow{Text::TimedGraph, "forward launched as one graph", "순전파를 그래프 하나로 실행"},
    TextRow{Text::TimedColdCache, "cold cache: flushed before each run", "콜드 캐시: 실행마다 먼저 비움"},
    TextRow{Text::Bound, "bound", "병목"},
    TextRow{Text::BoundLaunch, "launch-bound: submitting the work takes longer than doing it",
            "제출 병목: 작업을 제출하는 시간이 실행하는 시간보다 깁니다"},
    TextRow{Text::BoundDevice, "device-bound: doing the work takes longer than submitting it",
            "장치 병목: 작업을 실행하는 시간이 제출하는 시간보다 깁니다"},
    TextRow{Text::Audit, "audit", "점검"},
    TextRow{Text::AuditClean, "clean: {rules}", "이상 없음: {rules}"},
    TextRow{Text::AuditNotExamined, "not examined: {rules}", "점검하지 않음: {rules}"},
    TextRow{Text::AuditFound, "FOUND: {rules}", "발견: {rules}"},
    TextRow{Text::AuditNotMade, "not made", "하지 않음"},
    TextRow{Text::Throughput, "throughput", "처리량"},
    TextRow{Text::Inferences, "{rate} inferences/s", "초당 추론 {rate}회"},
    TextRow{Text::Items, "{rate} items/s, {n} in a batch", "초당 항목 {rate}개 (배치당 {n}개)"},
    TextRow{Text::InFlight, "{n} in flight[ on {streams} streams]", "동시 진행 {n}개[ (스트림 {streams}개)]"},
    TextRow{Text::Memory, "memory", "메모리"},
    TextRow{Text::MemoryPeak, "peak {bytes}", "최대 {bytes}"},
    TextRow{Text::MemoryWholeProcess, "peak {bytes}, of the whole process", "최대 {bytes}, 프로세스 전체"},
    TextRow{Text::MemoryDevice, "device {bytes}", "장치 {bytes}"},
    TextRow{Text::Stopped, "stopped", "종료 이유"},
    TextRow{Text::StoppedPrecision, "the median is within ± {asked}, as asked (± {reached})",
            "중앙값의 오차가 목표인 ± {asked} 안에 들었습니다 (± {reached})"},
    TextRow{Text::StoppedBudget, "the budget of {budget} is spent[; the median is within ± {reached}]",
            "시간 예산 {budget} 소진[, 중앙값의 오차는 ± {reached}]"},
    TextRow{Text::StoppedMaxRuns, "the limit of runs is reached[; the median is within ± {reached}]",
            "최대 실행 횟수 도달[, 중앙값의 오차는 ± {reached}]"},
    TextRow{Text::StoppedInterrupted, "interrupted[; the median is within ± {reached}]", "중단됨[, 중앙값의 오차는 ± {reached}]"},
    TextRow{Text::StoppedFailed, "failed[: {message}][ → {hint}]", "실패[: {message}][ → {hint}]"},
    TextRow{Text::Machine, "machine", "측정 환경"},
    TextRow{Text::Cpus, "{allowed} of {online} CPUs", "CPU {online}개 중 {allowed}개"},
    TextRow{Text::CpusLimited, "{allowed} of {online} CPUs, limited to {limit}", "CPU {online}개 중 {allowed}개, {limit}개로 제한"},
    TextRow{Text::Governor, "governor {governor}", "거버너 {governor}"},
    TextRow{Text::Virtual, "in a VM ({hypervisor})", "VM ({hypervisor})"},
    TextRow{Text::Note, "note", "참고"},
    TextRow{Text::OfThisProcess, "intervals are of this process alone[; for the median, the runs are worth {n} independent ones]",
            "신뢰구간은 이 프로세스에만 해당합니다[. 중앙값에 대해 이 실행들은 서로 독립인 실행 {n}회만큼의 값을 합니다]"},
    TextRow{Text::Doctor, "how wrong is the timing", "시간 측정의 오차"},
    TextRow{Text::DoctorErrors, "median error of each method against work of known length", "길이를 아는 작업에 대한 방법별 오차의 중앙값"},
    TextRow{Text::DoctorKnown, "known", "참값"},
    TextRow{Text::DoctorMarks, "events", "이벤트"},
    TextRow{Text::DoctorQueued, "… with backlog", "… 밀린 뒤"},
    TextRow{Text::DoctorSynchronised, "host, synced", "동기화 후"},
    TextRow{Text::DoctorCall, "call alone", "호출만"},
    TextRow{Text::DoctorEmpty, "two events with nothing between them read {pair}, round empty work {work} (never subtracted)",
            "이벤트 둘 사이에 아무것도 없으면 {pair}, 빈 작업이 있으면 {work} (빼지 않고 보이기만 합니다)"},
    TextRow{Text::DoctorNoWitness, "no profiling interface (CUPTI) is installed here as a second witness",
            "두 번째 증인이 될 프로파일링 인터페이스(CUPTI)가 설치되어 있지 않습니다"},
    TextRow{Text::DoctorGood, "events behind a backlog are within 1 % or 2 µs of the truth at every length",
            "밀린 작업 뒤의 이벤트는 모든 길이에서 오차가 1 % 또는 2 µs 이내입니다"},
    TextRow{Text::DoctorBad, "events behind a backlog are further than 1 % and 2 µs from the truth at some length",
            "밀린 작업 뒤의 이벤트 오차가 1 %와 2 µs를 넘는 길이가 있습니다"},
    TextRow{Text::SweepTitle, "sweep", "스윕"},
    TextRow{Text::SweepPoint, "1 point", "측정점 1개"},
    TextRow{Text::SweepPoints, "{n} points", "측정점 {n}개"},
    TextRow{Text::SweepInterrupted, "INTERRUPTED: {n} of {of} points are measured; the same command goes on with the rest",
            "중단됨: 측정점 {of}개 중 {n}개를 측정했습니다. 같은 명령을 다시 실행하면 나머지를 이어서 측정합니다"},
    TextRow{Text::SweepBatch, "batch", "배치"},
    TextRow{Text::SweepThreads, "threads", "스레드"},
    TextRow{Text::SweepInFlight, "in flight", "동시 진행"},
    TextRow{Text::SweepEngine, "engine", "엔진"},
    TextRow{Text::SweepItems, "items/s", "초당 항목"},
    TextRow{Text::SweepOutOfMemory, "out of memory", "메모리 부족"},
    TextRow{Text::SweepFailed, "failed", "실패"},
    TextRow{Text::SweepFront, "Pareto front", "파레토 최적"},
    TextRow{Text::SweepFrontValue, "{n} (*): nothing measured has more throughput at no more latency (median)",
            "{n} (*): 지연 시간(중앙값)이 같거나 더 짧으면서 처리량이 더 높은 측정점이 없음"},
    TextRow{Text::SweepKnee, "knee", "무릎점"},
    TextRow{Text::SweepKneeValue, "{point}: {rate} items/s at {latency}; beyond it, throughput costs more latency than before",
            "{point}: 초당 항목 {rate}개, {latency}. 이보다 처리량을 늘리면 지연 시간이 더 크게 늘어납니다"},
    TextRow{Text::SweepNoKnee, "none: the front has no bend", "없음: 꺾이는 곳이 없습니다"},
    TextRow{Text::SweepWithin, "{point} is the largest: {quantile} lies within {range}, {rate} items/s",
            "한도 안에서 가장 큰 것: {point}, {quantile} {range}, 초당 항목 {rate}개"},
    TextRow{Text::SweepNoneWithin, "no batch is known to keep it", "지킨다고 확인된 배치가 없습니다"},
    TextRow{Text::SweepUndecided, "undecided (--min-runs tells more): {points}",
            "판단할 수 없음 (--min-runs로 더 실행해 보세요): {points}"},
    TextRow{Text::SweepFewRuns, "{point} (needs ≥ {n} runs, had {runs})", "{point} ({n}회 이상 필요, {runs}회 실행)"},
    TextRow{Text::SweepNoPercentile, "fewer runs than {quantile} needs ({n}): --slo lets them go on for it, within --budget",
            "{quantile}에 필요한 실행 횟수({n}회)에 못 미침: --slo를 주면 --budget 안에서 더 실행합니다"},
    TextRow{Text::SweepTimesWrong, "times wrong", "틀린 시간"},
    TextRow{Text::SweepWarnings, "warnings", "경고"},
    TextRow{Text::SweepAllPoints, "all points", "모든 측정점"},
    TextRow{Text::SweepShow, "more about a point: lapse show {folder}/point-….json",
            "측정점별 자세한 결과: lapse show {folder}/point-….json"},
    TextRow{Text::SweepFolder, "saved in", "저장 위치"},
    TextRow{Text::SweepFolderValue, "{folder}[ ({n} of the points from an earlier run)]", "{folder}[ (그중 {n}개는 이전 실행에서 측정)]"},
    TextRow{Text::SweepVersions, "{name} was not the same for all points ({versions}): they don't compare; --fresh measures them anew",
            "측정점마다 {name} 항목이 다릅니다({versions}). 서로 비교할 수 없으니 --fresh로 새로 측정하세요"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    if (static_cast<std::size_t>(kTexts[i].text) != i) return false;
  }
  return kTexts.size() == static_cast<std::size_t>(Text::End);
}
static_assert(in_order(), "kTexts has one row a Text, in the order of the enumeration");

constexpr std::array kWarnings{
    WarningText{"precision_not_reached",
                "[the median is known to ± {reached} only, not to ± {asked}|the median is not known to the precision asked for]"
                "[: the budget of {budget} was spent after {runs} runs]",
                "give it more time: --budget[ {suggest}]",
                "[중앙값의 오차가 ± {reached}로, 목표인 ± {asked}에 이르지 못했습니다|중앙값의 오차가 목표에 이르지 못했습니다]"
                "[ (시간 예산 {budget}, {runs}회 실행)]",
                "시간을 더 주세요: --budget[ {suggest}]"},
    WarningText{"max_runs_reached", "stopped at the limit of {runs} runs[: the median is known to ± {reached} only, not to ± {asked}]",
                "allow more of them: --max-runs",
                "최대 실행 횟수 {runs}회에서 멈췄습니다[: 중앙값의 오차는 ± {reached}, 목표는 ± {asked}입니다]",
                "실행을 더 허용하세요: --max-runs"},
    WarningText{"few_runs", "too few runs for any interval: {runs} of the {needed} that the median needs",
                "give it more time with --budget, or insist: --min-runs {needed}",
                "실행이 너무 적어 신뢰구간이 없습니다: 중앙값에 필요한 {needed}회 중 {runs}회",
                "--budget으로 시간을 더 주거나 횟수를 정하세요: --min-runs {needed}"},
    WarningText{"warmup_too_short", "the first {cold} timed runs are warm-up: discarding {runs} was not enough",
                "discard more, or let lapse find out: --warmup[ {suggest}]",
                "측정한 실행 중 처음 {cold}회는 예열입니다: {runs}회 제외로는 부족했습니다",
                "더 많이 제외하거나 --warmup을 빼고 lapse에 맡기세요: --warmup[ {suggest}]"},
    WarningText{"slowdown", "after {runs} runs it got slower by {percent}: {first}, then {second}",
                "heat, a power limit or a neighbour: `lapse doctor`; the figures are of all runs",
                "{runs}회 실행 뒤 {percent} 느려졌습니다: {first}, 그다음 {second}",
                "발열, 전력 제한, 다른 작업을 `lapse doctor`로 확인하세요. 수치는 모든 실행을 포함합니다"},
    WarningText{"no_steady_state", "no steady state[: levels from {low} to {high}|: the times still move at the end]",
                "the median is of no one level; quiet the machine (`lapse doctor`), or measure for longer: --budget",
                "정상 상태 없음[: 수준이 {low}에서 {high}까지 바뀜|: 끝까지 시간이 계속 변함]",
                "중앙값이 한 수준의 값이 아닙니다. `lapse doctor`로 기계를 점검하거나 --budget으로 더 오래 재 보세요"},
    WarningText{"cycle", "no steady state: the times go up and down, once in {runs} runs",
                "a clock, a fan or a job that comes back: `lapse doctor`; the median is of no one level",
                "정상 상태 없음: 시간이 약 {runs}회 실행을 주기로 오르내립니다",
                "클럭, 팬, 반복 작업을 `lapse doctor`로 확인하세요. 중앙값이 한 수준의 값이 아닙니다"},
    WarningText{"slow_tail", "1 run in 100 takes {p99} or more, {factor}× the median ({median})",
                "see which runs with --csv; keep the process on its own CPUs with --pin",
                "100회 중 1회는 {p99} 이상 걸립니다: 중앙값({median})의 {factor}배",
                "--csv로 어느 실행인지 살펴보고, --pin으로 전용 CPU에 고정해 보세요"},
    WarningText{"steal", "the hypervisor took {percent} of the CPU time meanwhile",
                "repeat it on a dedicated host, or at a quieter time with a longer --budget",
                "측정하는 동안 하이퍼바이저가 CPU 시간의 {percent}를 가져갔습니다",
                "전용 호스트에서, 또는 한가한 때에 --budget을 늘려 다시 재 보세요"},
    WarningText{"busy_machine", "other processes used {percent} of the CPUs meanwhile[ (load before: {load})]",
                "stop them, or keep apart from them with --pin",
                "측정하는 동안 다른 프로세스가 CPU의 {percent}를 썼습니다[ (시작 전 부하: {load})]",
                "다른 작업을 멈추거나 --pin으로 CPU를 나눠 쓰세요"},
    WarningText{"throttled", "the control group held the process back in {periods} periods[ (limit: {limit} CPUs)]",
                "raise the container's CPU limit, or stay below it with --threads",
                "컨트롤 그룹이 프로세스를 {periods}번 멈춰 세웠습니다[ (제한: CPU {limit}개)]",
                "컨테이너의 CPU 제한을 늘리거나 --threads로 그보다 적게 쓰세요"},
    WarningText{"governor", "the CPU governor is '{governor}': the clock follows the load",
                "set the governor to 'performance', or warm up for longer with --warmup",
                "CPU 거버너가 '{governor}'입니다: 클럭이 부하에 따라 바뀝니다",
                "거버너를 'performance'로 바꾸거나 --warmup으로 예열을 늘리세요"},
    WarningText{"threads_exceed_cpus", "{threads} threads share {cpus} CPUs", "[--in-flight {in_flight}|--threads {cpus}]",
                "스레드 {threads}개가 CPU {cpus}개를 나눠 씁니다", "줄여 보세요: [--in-flight {in_flight}|--threads {cpus}]"},
    WarningText{"scalar_input", "the model tells no dimensions of {inputs}: a scalar was taken",
                "if it is none, say its shape: --shape {inputs}=…", "{inputs}의 차원이 모델에 없어 스칼라로 측정했습니다",
                "스칼라가 아니라면 모양을 알려 주세요: --shape {inputs}=…"},
    WarningText{"dynamic_dimension", "dimension ['{dimension}'|{index}] of {inputs} is dynamic: {size} was taken",
                "say which size you mean: [--dim {dimension}=N|--shape {inputs}=…]",
                "{inputs}의 동적 차원 ['{dimension}'|{index}]의 크기가 주어지지 않아 기본값 {size}(으)로 측정했습니다",
                "실제 크기를 알려 주세요: [--dim {dimension}=N|--shape {inputs}=…]"},
    WarningText{"integer_fill", "integers were filled with 0 and 1 ({inputs}), which may be unlike real data such as token ids",
                "--fill NAME=ints:0..30521, or real data with --input NAME=FILE.npy",
                "정수 입력을 0과 1로 채웠습니다 ({inputs}): 토큰 ID 같은 실제 데이터와 다를 수 있습니다",
                "--fill NAME=ints:0..30521, 또는 실제 데이터를 주세요: --input NAME=FILE.npy"},
    WarningText{"random_model",
                "output '{output}' differs from run to run on the same input[, by up to {largest}]: the answer can't be checked",
                "if that is not meant: export the model in evaluation mode, or fix its seed",
                "같은 입력에도 출력 '{output}' 값이 실행마다 달라[ (최대 {largest})] 정답을 확인할 수 없습니다",
                "의도한 것이 아니라면 평가 모드로 내보내거나 시드를 고정하세요"},
    WarningText{"non_finite_output", "output '{output}' holds {count} values that are NaN or infinite",
                "give it realistic data with --input NAME=FILE.npy, or another --fill",
                "출력 '{output}' 값 중 {count}개가 NaN이거나 무한대입니다",
                "--input NAME=FILE.npy로 실제 데이터를 주거나 --fill을 바꿔 보세요"},
    WarningText{"timer_resolution", "the median ({median}) is near what reading the clock costs ({resolution})",
                "give each run more to do with --batch", "중앙값({median})이 시계를 읽는 비용({resolution})에 가깝습니다",
                "--batch를 늘려 한 번에 더 많은 일을 시키세요"},
    WarningText{"memory_whole_process", "the memory peak is that of the whole process: the kernel does not let it be reset",
                "take off what `lapse time null` reports", "커널이 초기화를 허락하지 않아, 메모리 최대는 프로세스 전체의 값입니다",
                "`lapse time null`이 보이는 값을 빼고 읽으세요"},
    WarningText{"pending_on_return",
                "the engine says that its call blocks, but the device was busy for another {left} after it returned ({end_to_end})",
                "the time is too short: have the engine synchronise, or declare it asynchronous",
                "호출이 끝까지 기다린다고 하지만, 돌아온 뒤({end_to_end})에도 장치가 {left} 더 일했습니다",
                "측정값이 너무 작습니다: 엔진이 동기화하게 하거나 비동기로 선언하세요"},
    WarningText{"other_stream",
                "the work ran on another stream than the marks: the stream was idle ({device}) while the device went on for {left}",
                "the times are wrong: submit the work to the stream that is handed over",
                "작업이 다른 스트림에서 실행되었습니다: 측정한 스트림은 비어 있었고({device}) 장치는 {left} 더 일했습니다",
                "측정값이 틀립니다: 넘겨받은 스트림에 작업을 제출하세요"},
    WarningText{"side_stream",
                "work on a side stream is not joined: when the stream was done ({device}), the device went on for another {left}",
                "the times are too short: join the side stream with an event before the call returns",
                "보조 스트림의 작업이 합류하지 않았습니다: 스트림이 끝난 뒤({device})에도 장치가 {left} 더 일했습니다",
                "측정값이 너무 작습니다: 호출이 돌아오기 전에 이벤트로 보조 스트림을 합류시키세요"},
    WarningText{"launch_gaps", "{percent} of the device time is waiting for the host: {device} as called, {work} of work behind a backlog",
                "compare kernels by {work}; to close the gaps: [{close}, or ]a larger --batch",
                "장치 시간의 {percent}는 호스트를 기다린 시간입니다: 보통은 {device}, 앞에 일을 쌓아 두고 재면 {work}",
                "커널을 비교할 때는 {work} 쪽을 보고, 틈을 없애려면 [{close} 또는 ]더 큰 --batch를 쓰세요"},
    WarningText{"outputs_on_device",
                "the outputs are not on the host when a run ends: bringing them takes another {fetch} ({percent} of {end_to_end})",
                "add it to what a user waits for[, or measure it: --transfers {instead}]",
                "실행이 끝나도 출력이 호스트에 없습니다: 가져오는 데 {fetch} 더 걸립니다 ({end_to_end}의 {percent})",
                "사용자가 기다리는 시간에 더하세요[. 함께 재려면: --transfers {instead}]"},
    WarningText{"clock_fell", "the device's clock went from {high} MHz down to {low} MHz during the runs",
                "warm up for longer with --warmup, or lock the clock", "실행 중에 장치 클럭이 {high} MHz에서 {low} MHz까지 떨어졌습니다",
                "--warmup으로 예열을 늘리거나 클럭을 고정하세요"},
    WarningText{"clock_held_down",
                "the device's clock was held down in {percent} of the readings ({reasons}): {low} to {high} MHz[ of {max}]",
                "cool it, raise its power limit, or quote the clock with the time",
                "클럭을 읽은 횟수의 {percent}에서 장치 클럭이 제한되었습니다({reasons}): {low}–{high} MHz[, 최대 {max}]",
                "냉각이나 전력 제한을 손보거나, 시간과 함께 클럭도 밝히세요"},
    WarningText{"restless_side", "its threads went on working after {percent} of its turns, beside those of the other side",
                "have them sleep: --engine-opt spinning=0 (onnxruntime), OMP_WAIT_POLICY=passive (torch)",
                "차례의 {percent}에서, 끝난 뒤에도 스레드가 계속 일해 다른 쪽과 겹쳤습니다",
                "스레드를 재우세요: --engine-opt spinning=0 (onnxruntime), OMP_WAIT_POLICY=passive (torch)"},
    WarningText{"debug_build", "this lapse was built for debugging: its own cost is larger than it need be",
                "build it for release: -DCMAKE_BUILD_TYPE=Release", "디버그용으로 빌드한 lapse라서 자체 비용이 더 큽니다",
                "릴리스로 빌드하세요: -DCMAKE_BUILD_TYPE=Release"},
};

struct RuleText {
  std::string_view rule;
  std::string_view clean, found, topic, wrong;  // English
  std::string_view korean_clean, korean_found, korean_topic, korean_wrong;
};

constexpr std::array kRules{
    RuleText{"pending-on-return", "nothing pending on return", "work pending on return", "pending work",
             "the call returned before its work was done", "돌아온 뒤 남은 작업 없음", "돌아온 뒤에도 남은 작업", "남은 작업",
             "호출이 작업을 끝내지 않고 돌아왔습니다"},
    RuleText{"other-stream", "right stream", "work on another stream", "stream", "the work ran on another stream than the marks",
             "스트림 일치", "다른 스트림에서 실행된 작업", "스트림", "작업이 측정한 스트림에서 실행되지 않았습니다"},
    RuleText{"side-stream", "streams joined", "side stream not joined", "side streams", "work on a side stream went on after the last mark",
             "보조 스트림 합류", "합류하지 않은 보조 스트림", "보조 스트림", "마지막 마크 뒤에도 보조 스트림이 일하고 있었습니다"},
    RuleText{"launch-gaps", "no launch gaps", "launch gaps", "launch gaps", "", "제출 틈 없음", "제출 틈", "제출 틈", ""},
    RuleText{"outputs-on-device", "outputs on host", "outputs left on the device", "outputs", "", "출력 복사됨", "장치에 남은 출력",
             "출력 위치", ""},
    RuleText{"clocks", "clock steady", "clock not steady", "clock", "", "클럭 일정", "클럭 저하", "클럭", ""},
};

struct ReasonText {
  std::string_view reason, english, korean;
};

constexpr std::array kReasons{
    ReasonText{"no-time", "no time left", "시간 부족"},
    ReasonText{"self-synchronising", "the call waits for its work itself", "호출이 스스로 동기화함"},
    ReasonText{"no-reading", "no reading", "읽은 값 없음"},
    ReasonText{"other-stream", "the work is elsewhere", "작업이 다른 스트림에 있음"},
    ReasonText{"under-load", "under load", "부하 중"},
    ReasonText{"blocking", "the call blocks", "동기 호출"},
    ReasonText{"asynchronous", "the call does not block", "비동기 호출"},
};

const WarningText* find(std::string_view code) {
  const auto* row = std::find_if(kWarnings.begin(), kWarnings.end(), [code](const WarningText& warning) { return warning.code == code; });
  return row == kWarnings.end() ? nullptr : row;
}

struct Filled {
  std::string text;
  bool complete = true;
};

/// Puts facts into a pattern without brackets.
Filled fill_in(std::string_view pattern, const Facts& facts) {
  Filled filled;
  while (true) {
    const std::size_t open = pattern.find('{');
    const std::size_t close = pattern.find('}', open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    const auto fact = facts.find(std::string(pattern.substr(open + 1, close - open - 1)));
    filled.text += pattern.substr(0, open);
    filled.text += fact == facts.end() ? "?" : fact->second;
    filled.complete = filled.complete && fact != facts.end();
    pattern.remove_prefix(close + 1);
  }
  filled.text += pattern;
  return filled;
}

std::string fact_or_empty(const measuring::Warning& warning, const char* name) {
  const auto fact = warning.facts.find(name);
  return fact == warning.facts.end() ? std::string{} : fact->second;
}

}  // namespace

std::string expand(std::string_view pattern, const Facts& facts) {
  std::string out;
  while (true) {
    const std::size_t open = pattern.find('[');
    const std::size_t close = pattern.find(']', open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    const std::string_view part = pattern.substr(open + 1, close - open - 1);
    const std::size_t bar = std::min(part.find('|'), part.size());
    const std::string_view otherwise = part.substr(std::min(bar + 1, part.size()));
    const Filled wanted = fill_in(part.substr(0, bar), facts);
    out += fill_in(pattern.substr(0, open), facts).text;
    out += wanted.complete ? wanted.text : fill_in(otherwise, facts).text;
    pattern.remove_prefix(close + 1);
  }
  return out + fill_in(pattern, facts).text;
}

std::string say(Text text, Language language, const Facts& facts) {
  const TextRow& row = kTexts[static_cast<std::size_t>(text)];
  return expand(language == Language::Korean ? row.korean : row.english, facts);
}

std::string say(const Phrase& phrase, Language language, const Facts& facts) {
  return expand(language == Language::Korean ? phrase.korean : phrase.english, facts);
}

RuleWords rule_words(std::string_view rule, Language language) {
  const auto row = std::ranges::find(kRules, rule, &RuleText::rule);
  if (row == kRules.end()) return {std::string(rule), std::string(rule), std::string(rule), {}};
  if (language == Language::Korean) {
    return {std::string(row->korean_clean), std::string(row->korean_found), std::string(row->korean_topic), std::string(row->korean_wrong)};
  }
  return {std::string(row->clean), std::string(row->found), std::string(row->topic), std::string(row->wrong)};
}

std::string reason_words(std::string_view reason, Language language) {
  const auto row = std::ranges::find(kReasons, reason, &ReasonText::reason);
  if (row == kReasons.end()) return std::string(reason);
  return std::string(language == Language::Korean ? row->korean : row->english);
}

Message say(const measuring::Warning& warning, Language language) {
  const WarningText* row = find(warning.code);
  if (row == nullptr) {
    const std::string message = fact_or_empty(warning, "message");
    return {message.empty() ? warning.code : message, fact_or_empty(warning, "hint")};
  }
  const bool korean = language == Language::Korean;
  return {expand(korean ? row->korean_message : row->message, warning.facts), expand(korean ? row->korean_hint : row->hint, warning.facts)};
}

bool known(const measuring::Warning& warning) { return find(warning.code) != nullptr; }

std::span<const WarningText> warning_texts() { return kWarnings; }

}  // namespace lapse::report
