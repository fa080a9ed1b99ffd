#include "http/server/service.hpp"

#include <cerrno>

#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include "http/server/connection.hpp"
#include "http/server/conversation.hpp"

namespace tunic::http {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_spare = 16;  // conversations, each of them modest

}  // namespace

service::service(const asio::any_io_executor& executor, std::shared_ptr<handler> answers, const server_options& options)
    : options_(options),
      handler_(std::move(answers)),
      clock_(executor),
      drained_(executor, asio::steady_timer::time_point::max()) {}

service::~service() = default;

std::string_view service::date() {
  if (const auto now = std::time(nullptr); now != second_) {
    second_ = now;
    date_ = imf_fixdate{now};
  }
  return date_.text();
}

void service::start(std::unique_ptr<transport> stream) {
  connection::begin(std::make_unique<connection>(shared_from_this(), std::move(stream)));
  if (!ticking_) tick();
}

void service::stop() {
  stopping_ = true;
  for (const auto& end : acceptors_) end(true);
  for (auto* c : connections_) c->stop();
  if (connections_.empty()) {
    clock_.cancel();
    drained_.cancel();
  }
}

void service::close() {
  stopping_ = true;
  for (const auto& end : acceptors_) end(false);
  for (auto* c : connections_) c->close();
}

void service::expire(std::chrono::steady_clock::time_point now) {
  for (auto* c : connections_) c->expire(now);
}

void service::tick() {
  ticking_ = true;
  clock_.expires_after(1s);
  clock_.async_wait([self = weak_from_this()](std::error_code error) {
    const auto alive = self.lock();
    if (!alive) return;
    alive->ticking_ = false;
    if (alive->connections_.empty()) return;
    if (!error) alive->expire(std::chrono::steady_clock::now());
    alive->tick();
  });
}

asio::awaitable<bool> service::recover(std::error_code error) {
  if (error == asio::error::connection_aborted) co_return true;
  const bool starved = error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
                       error == asio::error::no_memory ||
                       error == std::error_code(ENFILE, asio::error::get_system_category());
  if (!starved) co_return false;
  asio::steady_timer pause(clock_.get_executor(), 50ms);
  co_await pause.async_wait(asio::use_awaitable);
  co_return true;
}

asio::awaitable<void> service::drained() {
  while (!connections_.empty()) {
    std::error_code ignored;  // that it was cancelled
    co_await drained_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

service::connection_list::iterator service::enter(connection& c, const asio::ip::address& peer) {
  if (options_.connections_of_a_client != 0 && !peer.is_unspecified()) ++clients_[peer];
  return connections_.insert(connections_.end(), &c);
}

std::unique_ptr<conversation> service::begin_conversation(connection& on) {
  std::unique_ptr<conversation> one;
  if (spare_.empty()) {
    one = std::make_unique<conversation>(*this);
  } else {
    one = std::move(spare_.back());
    spare_.pop_back();
  }
  one->begin(on);
  return one;
}

void service::end_conversation(std::unique_ptr<conversation> c) {
  c->end();
  if (c->is_modest() && spare_.size() < most_spare) spare_.push_back(std::move(c));
}

bool service::is_crowded(const asio::ip::address& peer) const {
  const auto client = clients_.find(peer);
  return client != clients_.end() && client->second > options_.connections_of_a_client;
}

void service::leave(connection_list::iterator c, const asio::ip::address& peer) {
  if (const auto client = clients_.find(peer); client != clients_.end() && --client->second == 0)
    clients_.erase(client);
  connections_.erase(c);
  if (!connections_.empty()) return;
  drained_.cancel();
  if (stopping_) clock_.cancel();
}

}  // namespace tunic::http
