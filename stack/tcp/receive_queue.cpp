#include "stack/tcp/receive_queue.hpp"

#include <algorithm>

namespace tunic::tcp {

bool receive_queue::insert(pool& buffers, std::uint64_t offset, slice text) {
  const std::uint64_t next = expected();
  if (offset + text.size() <= next) return false;
  if (offset < next) {
    text.remove_prefix(static_cast<std::uint32_t>(next - offset));
    offset = next;
  }
  if (offset > next) {
    insert_ahead(offset, std::move(text));
    return false;
  }
  append(buffers, std::move(text));
  if (!ahead_) return true;
  auto& pieces = ahead_->pieces;
  auto done = pieces.begin();
  for (; done != pieces.end() && done->begin <= expected(); ++done) {
    ahead_->octets -= done->text.size();
    ahead_->pinned -= done->pinned();
    if (done->end() <= expected()) continue;
    done->text.remove_prefix(static_cast<std::uint32_t>(expected() - done->begin));
    append(buffers, std::move(done->text));
  }
  pieces.erase(pieces.begin(), done);
  if (pieces.empty()) {
    ahead_.reset();
  } else {
    auto& runs = ahead_->runs;
    runs.erase(runs.begin(),
               std::partition_point(runs.begin(), runs.end(), [&](const range& r) { return r.end <= expected(); }));
  }
  return true;
}

void receive_queue::append(pool& buffers, slice text) {
  const bool wasteful = text.owner() && text.size() < text.owner()->capacity() / copy_share;
  if (wasteful && !ready_.empty()) {
    ready_.copy_in(buffers, text.octets());
  } else {
    ready_.push_back(std::move(text));
  }
}

void receive_queue::insert_ahead(std::uint64_t offset, slice text) {
  if (!ahead_) ahead_ = std::make_unique<reassembly>();
  reassembly& r = *ahead_;
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
  const auto& runs = ahead_->runs;
  const auto at = std::partition_point(runs.begin(), runs.end(), [&](const range& r) { return r.end <= offset; });
  return at == runs.end() || at->begin > offset ? range{} : *at;
}

receive_queue::range receive_queue::duplicate_of(std::uint64_t offset, std::uint32_t size) const {
  if (!ahead_) return {};
  const auto& runs = ahead_->runs;
  const auto at = std::partition_point(runs.begin(), runs.end(), [&](const range& r) { return r.end <= offset; });
  if (at == runs.end() || at->begin >= offset + size) return {};
  return {std::max(at->begin, offset), std::min(at->end, offset + size)};
}

receive_queue::ranges receive_queue::blocks() const {
  ranges found;
  if (!ahead_) return found;
  for (std::size_t i = 0; i < ahead_->recent_count; ++i) {
    const range r = range_around(ahead_->recent[i]);
    if (r.end > r.begin) found.list[found.count++] = r;
  }
  if (found.count == 0 && has_gap()) found.list[found.count++] = ahead_->runs.front();
  return found;
}

void receive_queue::clear() {
  ready_.clear();
  ahead_.reset();
}

}  // namespace tunic::tcp
