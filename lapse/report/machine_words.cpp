#include <algorithm>
#include <array>
#include <lapse/report/machine_words.hpp>

namespace lapse::report {
namespace {

constexpr std::array kTexts{
    DiagnosisText{"noise_arithmetic",
                  {"noise floor", "최소 잡음"},
                  {"arithmetic: differences under {unseen} can't be seen here in {time}; {found} is found 9 times in 10",
                   "연산: {time} 동안 재면 {unseen}보다 작은 차이는 보이지 않고, {found} 차이는 열에 아홉 번 드러납니다"},
                  {"see to what is noted below; measure for longer; compare in turns (lapse compare --a … --b …)",
                   "아래 항목을 살피고, 더 오래 재고, 번갈아 비교하세요(lapse compare --a … --b …)"}},
    DiagnosisText{"noise_memory",
                  {"", ""},
                  {"memory: differences under {unseen} can't be seen here in {time}; {found} is found 9 times in 10",
                   "메모리: {time} 동안 재면 {unseen}보다 작은 차이는 보이지 않고, {found} 차이는 열에 아홉 번 드러납니다"},
                  {"others use the memory's bandwidth or the last-level cache: stop them, or take a host of your own",
                   "다른 작업이 메모리 대역폭이나 캐시를 나눠 씁니다: 멈추거나 전용 호스트에서 재세요"}},
    DiagnosisText{
        "clock",
        {"clock", "시계"},
        {"[{source}: ]steps of {step}, a reading costs {reading}[; it went back {backward} times]",
         "[{source}: ]눈금 {step}, 한 번 읽는 비용 {reading}[, {backward}번 거꾸로 감]"},
        {"[let the kernel use {better}: boot with clocksource={better}|give each run more to do with --batch, so that a reading is "
         "little beside it]",
         "[커널이 {better} 시계를 쓰게 하세요: 부팅 옵션 clocksource={better}|--batch를 늘려 시계를 읽는 비용의 비중을 줄이세요]"}},
    DiagnosisText{"interruptions",
                  {"interrupted", "끼어듦"},
                  {"a thread that only reads the clock loses {lost} of its time to {gaps} interruptions, {longest} at the longest",
                   "시계만 읽는 스레드가 시간의 {lost}를 빼앗겼습니다: {gaps}번, 가장 길게 {longest}"},
                  {"stop what else runs here, and keep to CPUs that nothing else uses: --pin",
                   "다른 작업을 멈추고, --pin으로 아무도 쓰지 않는 CPU에서 재세요"}},
    DiagnosisText{
        "steal",
        {"steal", "스틸"},
        {"the hypervisor took {share} of the CPU time meanwhile", "그동안 하이퍼바이저가 CPU 시간의 {share}를 가져갔습니다"},
        {"take a dedicated host, or a quieter time with a longer --budget", "전용 호스트를 쓰거나, 한가한 때에 --budget을 늘려 재세요"}},
    DiagnosisText{"load",
                  {"other load", "다른 부하"},
                  {"other processes used {share} of the machine meanwhile (load before: {load})",
                   "그동안 다른 프로세스가 컴퓨터의 {share}를 썼습니다 (시작 전 부하: {load})"},
                  {"stop them, or keep apart from them with --pin", "다른 작업을 멈추거나 --pin으로 CPU를 나눠 쓰세요"}},
    DiagnosisText{"speed",
                  {"speed", "속도"},
                  {"a fixed loop's time varied by {spread} over {time} (from its 5 % to its 95 % quantile)",
                   "{time} 동안 같은 반복문에 걸린 시간이 {spread} 달라졌습니다 (5 %에서 95 % 분위수까지)"},
                  {"the clock or the CPU's share changes: fix the frequency, cool the machine, warm up with --warmup",
                   "클럭이나 CPU 몫이 변합니다: 주파수를 고정하고, 냉각을 살피고, --warmup으로 예열하세요"}},
    DiagnosisText{"frequency",
                  {"frequency", "주파수"},
                  {"[governor {governor}|the governor can't be seen here][, {low} to {high} MHz][, turbo on{turbo}][, turbo off{no_turbo}]",
                   "[거버너 {governor}|거버너가 보이지 않음][, {low}–{high} MHz][, 터보 켜짐{turbo}][, 터보 꺼짐{no_turbo}]"},
                  {"for comparisons, where you may: governor 'performance' and no turbo; else go by the measured speed",
                   "비교할 때는 가능하면 거버너를 'performance'로 하고 터보를 끄세요. 아니면 실측 속도를 보고 판단하세요"}},
    DiagnosisText{
        "heat",
        {"heat", "열"},
        {"[{celsius} °C|no temperature can be seen here][, {left} °C below throttling][; slowed down by heat {events} times since "
         "the start][, {meanwhile} of them meanwhile]",
         "[{celsius} °C|온도가 보이지 않음][, 감속까지 {left} °C][, 부팅 뒤 열로 느려진 횟수 {events}][, 그동안 {meanwhile}]"},
        {"[cool it: what runs for longer meets the limit of {celsius} °C and more|go by the measured speed above]",
         "[냉각을 살피세요: 지금 {celsius} °C, 오래 돌리면 더 오릅니다|위의 실측 속도를 보고 판단하세요]"}},
    DiagnosisText{
        "cpus",
        {"CPUs", "CPU"},
        {"{allowed} of {online} for this process", "이 프로세스가 쓸 수 있는 CPU: {online}개 중 {allowed}개"},
        {"say it with the numbers, and keep --threads within {allowed}", "결과에 함께 밝히고, --threads는 {allowed} 이하로 쓰세요"}},
    DiagnosisText{"quota",
                  {"quota", "할당량"},
                  {"[{limit} CPUs granted by the control group|no CPU quota][; held back in {periods} periods meanwhile]",
                   "[컨트롤 그룹이 준 CPU {limit}개|CPU 할당량 없음][, 그동안 {periods}번 멈춰 세움]"},
                  {"raise or lift the container's CPU limit, or stay below it with --threads",
                   "컨테이너의 CPU 제한을 늘리거나 없애고, 아니면 --threads로 그보다 적게 쓰세요"}},
    DiagnosisText{
        "siblings",
        {"SMT", "SMT"},
        {"[{count} CPUs share a core with another|no CPUs are said to share a core][; work on CPU {cpu} takes {effect} times as long "
         "while CPU {neighbour} is busy ({range})][; what a busy neighbour costs can't be told beside the other load of {crowded}]",
         "[CPU {count}개가 코어를 나눠 씀|코어를 나눠 쓰는 CPU 없음][; CPU {neighbour} 사용 중이면 CPU {cpu} 작업 시간 "
         "{effect}배 ({range})][; 다른 부하({crowded}) 때문에 이웃 CPU의 영향은 알 수 없음]"},
        {"use one CPU of each core with --pin, and keep its sibling idle[ (such as {cpu}, without {neighbour})]",
         "--pin으로 코어마다 CPU 하나만 쓰고 짝은 비워 두세요[ (예: {cpu}만 쓰고 {neighbour}는 비움)]"}},
    DiagnosisText{"huge_pages",
                  {"huge pages", "큰 페이지"},
                  {"transparent huge pages: {setting}[; with them reads from random places take {effect} times as long ({range})]",
                   "투명한 큰 페이지: {setting}[; 쓰면 메모리 임의 읽기 시간 {effect}배 ({range})]"},
                  {"a machine set to another value than '{setting}' has other times: set both alike "
                   "(/sys/kernel/mm/transparent_hugepage/enabled)",
                   "설정이 '{setting}' 아닌 컴퓨터와는 시간이 다릅니다: 같게 맞추세요(/sys/kernel/mm/transparent_hugepage/enabled)"}},
    DiagnosisText{
        "swap",
        {"swap", "스왑"},
        {"[{used} of {total} in use|none][; {pages} pages moved meanwhile]",
         "[{total} 중 {used} 사용|없음][, 그동안 옮겨진 페이지 {pages}개]"},
        {"free memory, or switch swap off while measuring: swapoff -a", "메모리를 비우거나, 재는 동안 스왑을 끄세요: swapoff -a"}},
    DiagnosisText{"layout_random",
                  {"layout", "배치"},
                  {"random: each process lies elsewhere in memory, and its times differ by that: several processes average over it, one "
                   "can't (lapse time --processes)",
                   "무작위: 프로세스마다 메모리 배치가 달라 시간도 다릅니다. 여러 프로세스를 재야 평균이 됩니다(lapse time --processes)"},
                  {"", ""}},
    DiagnosisText{"layout_fixed",
                  {"layout", "배치"},
                  {"fixed: every process has the same layout, which may be a lucky or an unlucky one",
                   "고정: 모든 프로세스의 메모리 배치가 같아, 유난히 빠르거나 느린 배치일 수 있습니다"},
                  {"let it vary and average over processes: sysctl kernel.randomize_va_space=2, lapse time --processes",
                   "배치를 바꿔 가며 평균을 내세요: sysctl kernel.randomize_va_space=2, lapse time --processes"}},
    DiagnosisText{"device_clock",
                  {"GPU clock", "GPU 클럭"},
                  {"[{mhz} MHz with work on it|it can't be read here][, {max} MHz at the most][; held down: {reasons}]",
                   "[작업 중 {mhz} MHz|읽을 수 없음][, 최대 {max} MHz][; 제한 이유: {reasons}]"},
                  {"[cool it or raise its power limit ({reasons}); |]quote the clock with the time, or lock it: nvidia-smi -lgc",
                   "[냉각이나 전력 제한을 손보세요({reasons}). |]시간과 함께 클럭을 밝히거나 고정하세요: nvidia-smi -lgc"}},
    DiagnosisText{"device_memory",
                  {"GPU memory", "GPU 메모리"},
                  {"{used} of {total} in use, by everybody", "{total} 중 {used} 사용 (모든 프로세스)"},
                  {"", ""}},
};

}  // namespace

DiagnosisWords words(const measuring::Diagnosis& diagnosis, Language language) {
  const auto row = std::ranges::find(kTexts, diagnosis.code, &DiagnosisText::code);
  if (row == kTexts.end()) return {diagnosis.code, "", ""};
  const bool good = diagnosis.grade == measuring::Grade::Good;
  return {say(row->label, language), say(row->message, language, diagnosis.facts), good ? "" : say(row->hint, language, diagnosis.facts)};
}

std::span<const DiagnosisText> diagnosis_texts() { return kTexts; }

}  // namespace lapse::report
