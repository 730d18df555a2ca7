#pragma once
// Work that is known, to find out how a machine behaves while it does it: the same instructions on the same data in every run, about 10 ms
// each, on the calling thread. Blocking, one slot.

#include <lapse/measure/subject.hpp>
#include <memory>

namespace lapse::measuring {

/// Products of matrices that fit into a core's own caches: bound by its arithmetic.
std::unique_ptr<Subject> make_arithmetic();

/// What the kernel is told of the table's memory (madvise).
enum class HugePages { AsItIs, Yes, No };

/// Bytes of a table that is larger than the last-level cache, as far as the machine tells its size.
std::size_t table_bytes();
/// Reads from random places of such a table: bound by memory and address translation. Error: OutOfMemory.
Result<std::unique_ptr<Subject>> make_gather(HugePages pages = HugePages::AsItIs);

/// A chain of about half a millisecond in which each instruction waits for the one before: nothing but the clock's frequency decides how
/// long it takes, as it uses neither memory nor what siblings of a core compete for. Returns how long it took.
Duration time_spin(device::Timeline& timeline);

}  // namespace lapse::measuring
