#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "stack/buffer/slice.hpp"

namespace tunic {

/// A slice of octets that a caller shares with the stack instead of having them copied: a mapped file, a cached page.
/// `owner` is kept alive until the last slice is gone, which may be any time until the peer has acknowledged the
/// octets. The stack reads them only to sum them up for a device that does not finish checksums: over such a device,
/// share no mapped file that somebody may shorten.
slice adopt(std::shared_ptr<const void> owner, std::span<const std::byte> octets);

}  // namespace tunic
