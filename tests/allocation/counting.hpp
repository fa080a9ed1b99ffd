#pragma once

#include <cstdint>

namespace tunic::test {

/// Blocks that the process has asked of malloc since it began, freed or not, by whatever way: operator new, calloc, the
/// C library itself.
std::uint64_t blocks_by_now();

}  // namespace tunic::test
