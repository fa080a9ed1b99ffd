#include "http/server/connection.hpp"

#include <algorithm>

#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "http/core/grammar.hpp"
#include "http/core/writer.hpp"

namespace tunic::http {
namespace {

constexpr std::size_t gather_limit = 64 * 1024;          // octets of responses to pipelined requests in one write
constexpr std::size_t copied_if_adopted = 16 * 1024;     // a content up to this is copied behind its head all the same
constexpr std::uint64_t piece_mapped = 2 * 1024 * 1024;  // octets of a file mapped and handed over at once
constexpr std::size_t piece_read = 128 * 1024;           // octets of a file read and written at once
constexpr std::size_t turn = 4 * 1024 * 1024;            // octets written before others get their turn
constexpr int requests_a_turn = 64;                      // passes over input that was there at once, likewise
constexpr std::size_t linger_limit = 1024 * 1024;        // octets of a refused request that are read and dropped
constexpr std::size_t kept_capacity = 4 * 1024;          // octets of buffer that an idle connection may hold

std::span<const std::byte> octets_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

asio::awaitable<void> give_way() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

}  // namespace

connection::connection(std::shared_ptr<service> shared, std::unique_ptr<transport> stream)
    : service_(std::move(shared)),
      entry_(service_->enter(*this)),
      stream_(std::move(stream)),
      reader_(request_, service_->options().bounds) {}

connection::~connection() {
  service_->leave(entry_);
}

asio::awaitable<void> connection::run(std::unique_ptr<connection> self) {
  co_await self->converse();
  self->stream_->close();
}

void connection::stop() {
  if (phase_ == phase::idle) stream_->cancel();
}

void connection::close() {
  stream_->close();
}

void connection::expire(clock::time_point now) {
  if (now < deadline_) return;
  deadline_ = clock::time_point::max();
  timed_out_ = true;
  stream_->cancel();
}

asio::awaitable<void> connection::converse() {
  for (int turns = 1; !failure_; ++turns) {
    std::error_code error;
    const auto input = stream_->borrow(error);
    auto rest = input;
    step next = take(rest);
    stream_->consume(input.size() - rest.size());

    if (next == step::await_handler) {
      co_await await_handler();
      next = respond();
    }
    switch (next) {
      case step::await_handler:
      case step::read: break;
      case step::flush: co_await flush(); break;
      case step::write_content:
        co_await write_content();
        if (states_.of(role::server) == state::must_close) co_return co_await linger();
        break;
      case step::close: co_await flush(); co_return co_await linger();
    }
    if (next == step::read && error) {
      if (!flush_now()) co_await flush();
      // The peer sends no more. What it asked is answered: a half-close is no reason not to.
      if (failure_ || !would_block(error)) co_return;
      co_await wait_for_input();
      if (timed_out_ && !reader_.in_head()) co_return;
      if (timed_out_) {
        refuse({status_code::request_timeout, "the request did not arrive in time"});
        co_await flush();
        co_return co_await linger();
      }
      turns = 0;
    } else if (turns % requests_a_turn == 0) {
      co_await give_way();
    }
  }
}

// Reads requests and has them answered until the input is used up or something has to be waited for.
connection::step connection::take(std::span<const std::byte>& input) {
  for (;;) {
    step next = step::read;
    switch (reader_.next(input)) {
      case event::need_more: return step::read;
      case event::head: next = on_request(); break;
      case event::body: states_.on(role::client, happening::data); break;
      case event::end:
        states_.on(role::client, happening::end_of_message);
        states_.next_cycle();
        break;
      case event::failed: return refuse(reader_.error());
    }
    if (next != step::read) return next;
  }
}

connection::step connection::on_request() {
  end_wait();
  states_.on(role::client, happening::request);
  if (request_.target == "*" || request_.method == "CONNECT")
    request_.path = request_.target;
  else if (!decode_path(request_.target, request_.path))
    return refuse({status_code::bad_request, "the path is not well encoded"});
  // RFC 9110 §10.1.1: the one expectation there is
  const auto expected = request_.header.find("Expect");
  if (expected && !grammar::same_token(*expected, "100-continue"))
    return refuse({status_code::expectation_failed, "the only expectation met is 100-continue"});
  response_.clear();
  try {
    pending_ = service_->answers().handle(request_, response_);
  } catch (...) {
    response_ = response::error(status_code::internal_server_error);
  }
  return pending_.valid() ? step::await_handler : respond();
}

asio::awaitable<void> connection::await_handler() {
  bool failed = false;
  try {
    co_await std::move(pending_);
  } catch (...) {
    failed = true;
  }
  pending_ = {};
  if (failed) response_ = response::error(status_code::internal_server_error);
}

// Answers a request that broke a rule. Where it ends cannot be trusted any more, so nothing after it is read.
connection::step connection::refuse(const problem& what) {
  states_.disable_keep_alive();
  const auto at = states_.of(role::server);
  if (at != state::idle && at != state::send_response) return step::close;  // its response has been sent already
  response_ = response::error(what.status, what.why);
  return respond();
}

connection::step connection::respond() {
  const bool waits_for_continue = request_.header.count("Expect") != 0 && reader_.frame().by != framing::kind::none;
  // RFC 9110 §10.1.1: answered without its content being asked for, so nobody knows whether that still comes.
  if (waits_for_continue || service_->stopping() || !wants_keep_alive(request_.version, request_.header) ||
      response_.head.header.has_element("Connection", "close"))
    states_.disable_keep_alive();
  states_.on(role::server, happening::response);
  states_.on(role::server, happening::end_of_message);
  compose();
  if (content_.index() != 0) return step::write_content;
  if (states_.of(role::server) == state::must_close) return step::close;
  return out_.size() >= gather_limit ? step::flush : step::read;
}

void connection::compose() {
  auto& header = response_.head.header;
  for (const auto name : {"Connection", "Content-Length", "Transfer-Encoding"}) header.remove(name);
  begin_head(out_, response_.head);
  if (header.count("Date") == 0) append_field(out_, "Date", service_->date());
  if (states_.of(role::server) == state::must_close)
    append_field(out_, "Connection", "close");
  else if (request_.version == protocol_version::http_1_0)
    append_field(out_, "Connection", "keep-alive");

  const auto* const octets = std::get_if<shared_octets>(&response_.content);
  const auto* const part = std::get_if<file_part>(&response_.content);
  const std::uint64_t length = octets ? octets->octets.size() : part ? part->length : 0;
  const auto status = number(response_.head.status);
  const bool may_have_content = status >= 200 && status != 204 && status != 304;  // RFC 9110 §6.4.1
  if (may_have_content) append_field(out_, "Content-Length", length);
  end_head(out_);
  if (!may_have_content || request_.method == "HEAD" || length == 0) return;

  const auto copied = stream_->can_adopt() ? copied_if_adopted : gather_limit;
  if (octets && length <= copied)
    out_.append(reinterpret_cast<const char*>(octets->octets.data()), octets->octets.size());
  else
    content_ = std::move(response_.content);
}

asio::awaitable<void> connection::wait_for_input() {
  const auto& options = service_->options();
  if (reader_.between_messages()) {
    if (service_->stopping()) {
      failure_ = asio::error::shut_down;
      co_return;
    }
    if (out_.capacity() > kept_capacity) out_ = {};
    begin_wait(phase::idle, options.idle_timeout);
  } else if (reader_.in_head()) {
    if (phase_ != phase::head) begin_wait(phase::head, options.head_timeout);  // one deadline for the whole of it
  } else {
    begin_wait(phase::content, options.content_timeout);
  }
  std::error_code ignored;  // told again by borrow
  co_await stream_->readable(ignored);
}

std::span<const std::byte> connection::unsent() const {
  return octets_of(out_).subspan(sent_);
}

// Writes as much as goes at once and says how much that is.
std::size_t connection::write_now(std::span<const std::byte> octets) {
  std::size_t done = 0;
  std::error_code error;
  while (done < octets.size() && !error) done += stream_->try_write(octets.subspan(done), error);
  if (error && !would_block(error)) failure_ = error;
  return done;
}

bool connection::flush_now() {
  sent_ += write_now(unsent());
  if (sent_ != out_.size()) return false;
  out_.clear();
  sent_ = 0;
  return true;
}

asio::awaitable<void> connection::flush() {
  if (flush_now() || failure_) co_return;
  co_await write(unsent());
  out_.clear();
  sent_ = 0;
}

asio::awaitable<void> connection::write(std::span<const std::byte> octets) {
  octets = octets.subspan(write_now(octets));
  if (octets.empty() || failure_) co_return;
  begin_wait(phase::sending, service_->options().send_timeout);
  co_await stream_->write(octets, failure_);
  end_wait();
}

asio::awaitable<void> connection::write_content() {
  const auto content = std::exchange(content_, std::monostate{});
  const auto* const part = std::get_if<file_part>(&content);
  if (part && !stream_->can_adopt()) co_return co_await read_and_write(*part);

  co_await flush();
  if (failure_) co_return;
  if (part) co_return co_await map_and_adopt(*part);
  const auto& octets = std::get<shared_octets>(content);
  if (stream_->can_adopt())
    co_await adopt(octets, nullptr);
  else
    co_await write(octets.octets);
}

// Maps a file piece by piece and hands the pieces over; each is unmapped once the peer has acknowledged it, so that a
// file of any size takes no more memory than what is on its way.
asio::awaitable<void> connection::map_and_adopt(file_part part) {
  while (part.length > 0 && !failure_) {
    const std::uint64_t skip = part.offset % file::map_unit;
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(part.length, piece_mapped - skip));
    shared_octets piece = part.source->map(part.offset - skip, static_cast<std::size_t>(skip) + length, failure_);
    if (failure_) co_return;
    piece.octets = piece.octets.subspan(static_cast<std::size_t>(skip));
    part.offset += length;
    part.length -= length;
    co_await adopt(piece, part.source.get());
    if (part.length > 0 && !failure_) co_await give_way();
  }
}

// Hands octets to the stream without copying them. Those of a mapped file are not touched here, and not handed over
// once the file has become shorter: the response then ends with the connection, short of its Content-Length.
asio::awaitable<void> connection::adopt(shared_octets rest, const file* source) {
  while (!rest.octets.empty() && !failure_) {
    if (source != nullptr && !source->is_whole()) {
      failure_ = make_error_code(std::errc::io_error);
      co_return;
    }
    std::error_code error;
    const auto n = stream_->try_adopt(rest, error);
    rest.octets = rest.octets.subspan(n);
    if (would_block(error)) {
      begin_wait(phase::sending, service_->options().send_timeout);
      co_await stream_->writable(failure_);
      end_wait();
    } else if (error) {
      failure_ = error;
    }
  }
}

// The way for streams that adopt nothing: through a buffer, the first piece behind the response's head.
asio::awaitable<void> connection::read_and_write(file_part part) {
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(gather_limit + piece_read);
  const auto head = unsent();
  std::size_t used = head.size();
  std::copy(head.begin(), head.end(), buffer.get());
  out_.clear();
  sent_ = 0;
  for (std::size_t since_wait = 0; part.length != 0 && !failure_;) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(part.length, piece_read));
    std::error_code error;
    if (part.source->read(part.offset, {buffer.get() + used, n}, error) != n) {
      failure_ = make_error_code(std::errc::io_error);  // it has become shorter
      co_return;
    }
    const std::span<const std::byte> piece{buffer.get(), used + n};
    const auto done = write_now(piece);
    if (done != piece.size() && !failure_) {
      co_await write(piece.subspan(done));
      since_wait = 0;
    } else if ((since_wait += n) >= turn) {
      co_await give_way();
      since_wait = 0;
    }
    used = 0;
    part.offset += n;
    part.length -= n;
  }
}

// RFC 9112 §9.6: closing with octets unread resets the connection and may cost the peer our last response. So our side
// is closed first, and what still comes is dropped until the peer closes, within bounds.
asio::awaitable<void> connection::linger() {
  if (failure_) co_return;
  stream_->shutdown_send();
  timed_out_ = false;
  begin_wait(phase::lingering, service_->options().linger_timeout);
  std::size_t dropped = 0;
  while (dropped < linger_limit && !timed_out_ && !failure_) {
    std::error_code error;
    const auto input = stream_->borrow(error);
    if (would_block(error)) {
      std::error_code ignored;
      co_await stream_->readable(ignored);
      continue;
    }
    if (error) co_return;
    dropped += input.size();
    stream_->consume(input.size());
  }
}

void connection::begin_wait(phase what, std::chrono::milliseconds timeout) {
  phase_ = what;
  deadline_ = clock::now() + timeout;
}

void connection::end_wait() {
  phase_ = phase::working;
  deadline_ = clock::time_point::max();
}

}  // namespace tunic::http
