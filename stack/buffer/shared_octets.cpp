#include "stack/buffer/shared_octets.hpp"

namespace tunic {
namespace {

class adopted_block : public block {
 public:
  explicit adopted_block(std::shared_ptr<const void> owner)
      : block(0, [](block* b) noexcept { delete static_cast<adopted_block*>(b); }), owner_(std::move(owner)) {}

 private:
  std::shared_ptr<const void> owner_;
};

}  // namespace

slice adopt(std::shared_ptr<const void> owner, std::span<const std::byte> octets) {
  return slice{block_ref<block>{new adopted_block{std::move(owner)}}, octets};
}

}  // namespace tunic
