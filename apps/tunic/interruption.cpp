#include "apps/tunic/interruption.hpp"

#include <chrono>
#include <csignal>
#include <utility>

namespace tunic::app {
namespace {

// timeout(1), and whoever signals a whole process group besides, means one interruption by two signals.
constexpr std::chrono::milliseconds same{200};

}  // namespace

interruption::interruption(asio::io_context& io, std::function<void()> first, std::function<void()> again)
    : signals_(io, SIGINT, SIGTERM), next_(std::move(first)), again_(std::move(again)) {
  wait();
}

void interruption::wait() {
  signals_.async_wait([this](std::error_code e, int) {
    if (e) return;
    const auto now = std::chrono::steady_clock::now();
    const bool counts = now - last_ >= same;
    if (counts) last_ = now;
    const auto call = counts ? std::exchange(next_, again_) : std::function<void()>{};
    wait();
    if (call) call();
  });
}

}  // namespace tunic::app
