#include "stack/tcp/receive_queue.hpp"

#include <algorithm>
#include <utility>

namespace tunic::tcp {

bool receive_queue::insert(rooms& from, pool& buffers, std::uint64_t offset, slice text) {
  const std::uint64_t next = expected();
  if (offset + text.size() <= next) return false;
  if (offset < next) {
    text.remove_prefix(static_cast<std::uint32_t>(next - offset));
    offset = next;
  }
  if (!waiting_) {
    waiting_ = from.take();
    waiting_->home = &from;
    waiting_->ready.begin_at(taken_);
  }
  if (offset > next) {
    insert_ahead(offset, std::move(text));
    return false;
  }
  append(buffers, std::move(text));
  auto& gap = waiting_->ahead;
  if (!gap) return true;
  auto& pieces = gap->pieces;
  auto done = pieces.begin();
  for (; done != pieces.end() && done->begin <= expected(); ++done) {
    gap->octets -= done->text.size();
    gap->pinned -= done->pinned();
    if (done->end() <= expected()) continue;
    done->text.remove_prefix(static_cast<std::uint32_t>(expected() - done->begin));
    append(buffers, std::move(done->text));
  }
  pieces.erase(pieces.begin(), done);
  if (pieces.empty()) {
    gap.reset();
  } else {
    auto& runs = gap->runs;
    runs.erase(runs.begin(),
               std::partition_point(runs.begin(), runs.end(), [&](const range& r) { return r.end <= expected(); }));
  }
  return true;
}

void receive_queue::append(pool& buffers, slice text) {
  const bool wasteful = text.owner() && text.size() < text.owner()->capacity() / copy_share;
  chain& ready = waiting_->ready;
  if (wasteful && !ready.empty()) {
    ready.copy_in(buffers, text.octets());
  } else {
    ready.push_back(std::move(text));
  }
}

void receive_queue::insert_ahead(std::uint64_t offset, slice text) {
  if (!waiting_->ahead) waiting_->ahead = std::make_unique<reassembly>();
  reassembly& r = *waiting_->ahead;
  auto at = std::partition_point(r.pieces.begin(), r.pieces.end(), [&](const piece& p) { return p.end() <= offset; });
  // What is held already wins: the octets are the same, and what was acknowledged by SACK is never given back (RFC 2018
  // §8).
  const std::uint64_t mark = offset;
  r.join({offset, offset + text.size()});
  while (!text.empty()) {
    if (at != r.pieces.end() && at->begin <= offset) {
      const auto covered = std::min<std::uint64_t>(text.size(), at->end() - offset);
      text.remove_prefix(static_cast<std::uint32_t>(covered));
      offset += covered;
      ++at;
      continue;
    }
    const std::uint64_t room = at == r.pieces.end() ? text.size() : at->begin - offset;
    const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(text.size(), room));
    at = r.pieces.insert(at, piece{offset, text.sub(0, n)}) + 1;
    r.octets += n;
    r.pinned += std::prev(at)->pinned();
    text.remove_prefix(n);
    offset += n;
  }
  // RFC 2018 §4: the range of this segment first, then those reported last.
  const range latest = range_around(mark);
  std::array<std::uint64_t, 4> recent{mark};
  std::size_t count = 1;
  for (std::size_t i = 0; i < r.recent_count && count < recent.size(); ++i) {
    const std::uint64_t other = r.recent[i];
    const bool gone = other < expected() || (latest.begin <= other && other < latest.end);
    if (!gone) recent[count++] = other;
  }
  r.recent = recent;
  r.recent_count = count;
}

void receive_queue::reassembly::join(range added) {
  const auto first =
      std::partition_point(runs.begin(), runs.end(), [&](const range& r) { return r.end < added.begin; });
  auto last = first;
  for (; last != runs.end() && last->begin <= added.end; ++last)
    added = {std::min(added.begin, last->begin), std::max(added.end, last->end)};
  runs.insert(runs.erase(first, last), added);
}

receive_queue::range receive_queue::range_around(std::uint64_t offset) const {
  const auto& runs = ahead()->runs;
  const auto at = std::partition_point(runs.begin(), runs.end(), [&](const range& r) { return r.end <= offset; });
  return at == runs.end() || at->begin > offset ? range{} : *at;
}

receive_queue::range receive_queue::duplicate_of(std::uint64_t offset, std::uint32_t size) const {
  if (!ahead()) return {};
  const auto& runs = ahead()->runs;
  const auto at = std::partition_point(runs.begin(), runs.end(), [&](const range& r) { return r.end <= offset; });
  if (at == runs.end() || at->begin >= offset + size) return {};
  return {std::max(at->begin, offset), std::min(at->end, offset + size)};
}

receive_queue::ranges receive_queue::blocks() const {
  ranges found;
  if (!ahead()) return found;
  for (std::size_t i = 0; i < ahead()->recent_count; ++i) {
    const range r = range_around(ahead()->recent[i]);
    if (r.end > r.begin) found.list[found.count++] = r;
  }
  if (found.count == 0 && has_gap()) found.list[found.count++] = ahead()->runs.front();
  return found;
}

void receive_queue::pop_front(std::uint64_t n) {
  if (!waiting_) return;
  waiting_->ready.pop_front(n);
  leave_empty();
}

std::size_t receive_queue::copy_out(std::span<std::byte> to) {
  if (!waiting_) return 0;
  const std::size_t n = waiting_->ready.copy_out(to);
  leave_empty();
  return n;
}

void receive_queue::drop_ready() {
  if (!waiting_) return;
  waiting_->ready.clear();
  leave_empty();
}

void receive_queue::clear() {
  if (waiting_) waiting_->ahead.reset();
  drop_ready();
}

// Where nothing waits any more, the room is another queue's.
void receive_queue::leave_empty() {
  constexpr std::size_t modest = 256;  // slices; few need more
  if (!waiting_->ready.empty() || waiting_->ahead) return;
  taken_ = waiting_->ready.end();
  auto room = std::exchange(waiting_, nullptr);
  rooms& home = *room->home;
  if (room->ready.capacity() <= modest) home.give_back(std::move(room));
}

}  // namespace tunic::tcp
