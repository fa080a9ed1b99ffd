#include "apps/tunic/serve.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>
#include <latch>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include "apps/tunic/interruption.hpp"
#include "apps/tunic/network.hpp"
#include "apps/tunic/shard.hpp"

namespace tunic::app {
namespace {

constexpr std::chrono::seconds stop_patience{4};  // for connections to close after the first Ctrl-C

/// The shards, of which the first is this thread's. Its loop handles signals and what the others tell as well.
class service {
 public:
  explicit service(const serve_options& o)
      : options_(o),
        log_(o.access_log.empty() ? nullptr : open_log(o.access_log)),
        queues_(open_device(o.network)),
        left_(queues_.size()),
        main_(make_shard(*queues_.front())),
        others_(queues_.size() - 1),
        deadline_(main_->io()),
        interruption_(
            main_->io(), [this] { stop(); }, [this] { abort(exit_interrupted); }),
        made_(static_cast<std::ptrdiff_t>(others_.size())) {
    for (std::size_t i = 0; i < others_.size(); ++i) start(others_[i], *queues_[i + 1]);
    made_.wait();
  }

  /// Otherwise run() only says why not.
  [[nodiscard]] bool is_whole() const {
    return std::all_of(others_.begin(), others_.end(), [](const auto& s) { return s != nullptr; });
  }

  exit_code run() {
    try {
      main_->run();
    } catch (...) {
      failure_ = std::current_exception();
      abort(exit_failed);
    }
    for (std::thread& t : threads_) t.join();
    if (failure_) std::rethrow_exception(failure_);
    return code_;
  }

 private:
  std::unique_ptr<shard> make_shard(drivers::tun& queue) {
    return std::make_unique<shard>(options_, queue, key_, log_, [this](const std::exception_ptr& e) { tell(e); });
  }

  void start(std::unique_ptr<shard>& place, drivers::tun& queue) {
    try {
      threads_.emplace_back([this, &place, &queue] { work(place, queue); });
    } catch (const std::system_error& e) {
      tell(std::make_exception_ptr(std::system_error(
          e.code(), "no thread more is permitted; raise the limit of processes, or give fewer --threads")));
      made_.count_down();
    }
  }

  /// Another thread's. It makes its shard itself, so that the memory is its own.
  void work(std::unique_ptr<shard>& place, drivers::tun& queue) {
    try {
      place = make_shard(queue);
    } catch (...) {
      tell(std::current_exception());
    }
    made_.count_down();
    try {
      if (place) place->run();
    } catch (...) {
      tell(std::current_exception());
    }
  }

  /// From any thread: a shard has ended.
  void tell(const std::exception_ptr& e) {
    asio::post(main_->io(), [this, e] {
      if (e) {
        failure_ = e;
        abort(exit_failed);
      } else if (--left_ == 0) {
        interruption_.cancel();
        deadline_.cancel();
      }
    });
  }

  void stop() {
    spdlog::info("closing; once more to abort");
    each([](shard& s) { s.stop(); });
    deadline_.expires_after(stop_patience);
    deadline_.async_wait([this](std::error_code e) {
      if (e) return;
      spdlog::warn("connections that did not close within {} s are aborted", stop_patience.count());
      abort(exit_ok);
    });
  }

  void abort(exit_code code) {
    code_ = code;
    each([](shard& s) { s.abort(); });
    interruption_.cancel();
    deadline_.cancel();
  }

  template <class Call>
  void each(Call call) {
    call(*main_);
    for (const auto& s : others_)
      if (s) call(*s);
  }

  const serve_options& options_;
  const log_file log_;
  const std::vector<std::unique_ptr<drivers::tun>> queues_;  // outlive all shards: a flow keeps its queue to the end
  const secret key_ = draw_secret();
  std::size_t left_;  // shards that serve
  const std::unique_ptr<shard> main_;
  std::vector<std::unique_ptr<shard>> others_;  // empty where one could not be made
  asio::steady_timer deadline_;
  interruption interruption_;
  exit_code code_ = exit_ok;
  std::exception_ptr failure_;
  std::latch made_;  // all shards, or it is known why not
  std::vector<std::thread> threads_;
};

}  // namespace

exit_code serve(const serve_options& o) {
  service all{o};
  if (!all.is_whole()) return all.run();
  // A capture or a log has the standard output to itself.
  std::ostream& out = o.network.pcap == "-" || o.access_log == "-" ? std::cerr : std::cout;
  const std::string what = o.echo ? "the echo site" : o.folder;
  for (const prefix& p : o.network.addresses)
    out << "serving " << what << " on http://" << endpoint{p.address, o.port}.to_string() << "/\n";
  if (o.network.any_address) out << "serving " << what << " on every address, port " << o.port << '\n';
  out.flush();
  return all.run();
}

}  // namespace tunic::app
