#include "apps/tunic/interruption.hpp"

#include <csignal>
#include <utility>

namespace tunic::app {

interruption::interruption(asio::io_context& io, std::function<void()> first, std::function<void()> again)
    : signals_(io, SIGINT, SIGTERM), next_(std::move(first)), again_(std::move(again)) {
  wait();
}

void interruption::wait() {
  signals_.async_wait([this](std::error_code e, int) {
    if (e) return;
    const auto call = std::exchange(next_, again_);
    wait();
    call();
  });
}

}  // namespace tunic::app
