#include "http/server/sender.hpp"

#include <algorithm>
#include <memory>

#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace tunic::http {
namespace {

constexpr std::size_t gather_limit = 64 * 1024;          // octets of responses to pipelined requests in one write
constexpr std::size_t copied_if_adopted = 16 * 1024;     // a content up to this is copied behind its head all the same
constexpr std::uint64_t piece_mapped = 2 * 1024 * 1024;  // octets of a file mapped and handed over at once
constexpr std::size_t piece_read = 128 * 1024;           // octets of a file read and written at once
constexpr std::size_t turn = 4 * 1024 * 1024;            // octets written before others get their turn

// Lets others have their turn.
asio::awaitable<void> give_way() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// A small part; an error where the file has become shorter.
shared_octets read_whole(const file_part& part, std::error_code& error) {
  std::string octets(static_cast<std::size_t>(part.length), '\0');
  const auto n = part.source->read(part.offset, std::as_writable_bytes(std::span(octets)), error);
  if (!error && n != octets.size()) error = make_error_code(std::errc::io_error);
  return share(std::move(octets));
}

}  // namespace

void sender::begin(transport& stream, waiting& wait, patience& with) {
  stream_ = &stream;
  wait_ = &wait;
  patience_ = &with;
  failure_ = {};
}

void sender::end() {
  out_.clear();
  sent_ = 0;
  latest_.reset();
}

void sender::forget_unused() {
  if (latest_) latest_->forget_unused();
}

bool sender::is_full() const {
  return out_.size() >= gather_limit;
}

bool sender::gathers(std::size_t size) const {
  return size <= (stream_->can_adopt() ? copied_if_adopted : gather_limit);
}

std::span<const std::byte> sender::unsent() const {
  return std::as_bytes(std::span(out_)).subspan(sent_);
}

void sender::progressed(std::size_t octets) {
  patience_->progressed(octets, options_.least_rate);
}

// Writes as much as goes at once and says how much that is.
std::size_t sender::write_now(std::span<const std::byte> octets) {
  std::size_t done = 0;
  std::error_code error;
  while (done < octets.size() && !error) done += stream_->try_write(octets.subspan(done), error);
  if (error && !would_block(error)) failure_ = error;
  progressed(done);
  return done;
}

bool sender::flush_now() {
  sent_ += write_now(unsent());
  if (sent_ != out_.size()) return false;
  out_.clear();
  sent_ = 0;
  return true;
}

asio::awaitable<void> sender::flush() {
  if (flush_now() || failure_) co_return;
  co_await write(unsent());
  out_.clear();
  sent_ = 0;
}

asio::awaitable<void> sender::write(std::span<const std::byte> octets) {
  while (!octets.empty() && !failure_) {
    octets = octets.subspan(write_now(octets));
    if (octets.empty() || failure_) co_return;
    wait_->begin(waiting::phase::sending, *patience_);
    const auto n = co_await stream_->write_some(octets, failure_);
    wait_->end();
    progressed(n);
    octets = octets.subspan(n);
  }
}

asio::awaitable<void> sender::send(std::span<const std::byte> octets) {
  co_await flush();
  co_await write(octets);
}

asio::awaitable<void> sender::send(const shared_octets& octets) {
  co_await flush();
  if (stream_->can_adopt())
    co_await adopt(octets, nullptr);
  else
    co_await write(octets.octets);
}

asio::awaitable<void> sender::send(file_part part) {
  if (!stream_->can_adopt()) co_return co_await read_and_write(std::move(part));
  co_await flush();
  co_await map_and_adopt(std::move(part));
}

// Maps a file piece by piece and hands the pieces over, which stay mapped until the peer has acknowledged them.
asio::awaitable<void> sender::map_and_adopt(file_part part) {
  latest_ = part.source;
  const std::uint64_t mappable = part.source->mappable();
  while (part.length > 0 && !failure_) {
    if (part.offset >= mappable) co_return co_await adopt(read_whole(part, failure_), nullptr);
    const std::uint64_t skip = part.offset % file::map_unit;
    const auto length = static_cast<std::size_t>(std::min({part.length, piece_mapped - skip, mappable - part.offset}));
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
asio::awaitable<void> sender::adopt(shared_octets rest, const file* source) {
  while (!rest.octets.empty() && !failure_) {
    if (source != nullptr && !source->is_whole()) {
      failure_ = make_error_code(std::errc::io_error);
      co_return;
    }
    std::error_code error;
    const auto n = stream_->try_adopt(rest, error);
    rest.octets = rest.octets.subspan(n);
    progressed(n);
    if (would_block(error)) {
      wait_->begin(waiting::phase::sending, *patience_);
      co_await stream_->writable(failure_);
      wait_->end();
    } else if (error) {
      failure_ = error;
    }
  }
}

// The way for streams that adopt nothing: through a buffer, the first piece behind what has gathered.
asio::awaitable<void> sender::read_and_write(file_part part) {
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(gather_limit + piece_read);
  if (unsent().size() > gather_limit) co_await flush();
  const auto gathered = unsent();
  std::size_t used = gathered.size();
  std::copy(gathered.begin(), gathered.end(), buffer.get());
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

}  // namespace tunic::http
