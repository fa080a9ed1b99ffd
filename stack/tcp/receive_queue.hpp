#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/stock.hpp"
#include "stack/buffer/chain.hpp"

namespace tunic::tcp {

/// Received text: what is in order waits for the user, what came ahead of a gap waits for the gap. It works in offsets
/// of the stream; 0 stands at IRS+1. Text stays where it arrived: slices of its packets.
class receive_queue {
  struct waiting;

 public:
  /// Where queues have their room from while text waits in them.
  using rooms = stock<waiting>;
  struct range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  receive_queue() = default;
  receive_queue(const receive_queue&) = delete;
  receive_queue& operator=(const receive_queue&) = delete;

  /// Takes text at an offset that may lie ahead of, at or before expected(); what is there already is cut off. Returns
  /// whether expected() has moved.
  bool insert(rooms& from, pool& buffers, std::uint64_t offset, slice text);
  /// The offset after the last octet in order: RCV.NXT's.
  [[nodiscard]] std::uint64_t expected() const { return waiting_ ? waiting_->ready.end() : taken_; }
  [[nodiscard]] bool has_gap() const { return waiting_ && waiting_->ahead && !waiting_->ahead->pieces.empty(); }

  [[nodiscard]] std::uint64_t size() const { return waiting_ ? waiting_->ready.size() : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Octets held, in order and ahead of a gap.
  [[nodiscard]] std::uint64_t held() const { return size() + (ahead() ? ahead()->octets : 0); }
  /// Memory that text ahead of a gap keeps from other use: whole buffers.
  [[nodiscard]] std::uint64_t pinned_ahead() const { return ahead() ? ahead()->pinned : 0; }
  /// Memory that the queue keeps from other use.
  [[nodiscard]] std::uint64_t charge() const { return waiting_ ? waiting_->ready.charge() + pinned_ahead() : 0; }
  /// Octets that the user has taken, or that were dropped for it, so far.
  [[nodiscard]] std::uint64_t consumed() const { return waiting_ ? waiting_->ready.begin() : taken_; }
  [[nodiscard]] std::span<const std::byte> front() const {
    return waiting_ ? waiting_->ready.front() : std::span<const std::byte>{};
  }
  void pop_front(std::uint64_t n);
  std::size_t copy_out(std::span<std::byte> to);
  /// Forgets the text that waits for the user; the offsets go on.
  void drop_ready();
  void clear();

  /// What of [offset, offset + size) is held ahead of the gap already, its first stretch; empty where nothing is.
  [[nodiscard]] range duplicate_of(std::uint64_t offset, std::uint32_t size) const;

  /// The ranges ahead of the gap, the one that changed last first (RFC 2018 §4): what SACK blocks report.
  struct ranges {
    std::array<range, 4> list;
    std::size_t count = 0;
  };
  [[nodiscard]] ranges blocks() const;

 private:
  struct piece {
    std::uint64_t begin = 0;
    slice text;
    [[nodiscard]] std::uint64_t end() const { return begin + text.size(); }
    [[nodiscard]] std::uint64_t pinned() const {
      return std::max(text.owner() ? text.owner()->capacity() : 0, text.size());
    }
  };
  // Exists only while something is missing.
  struct reassembly {
    std::vector<piece> pieces;  // in order, disjoint
    std::vector<range> runs;    // of pieces without a gap between them: what SACK blocks report, found by its offset
    std::uint64_t octets = 0;
    std::uint64_t pinned = 0;
    std::array<std::uint64_t, 4> recent{};  // one offset in each of the ranges that changed last, the latest first
    std::size_t recent_count = 0;

    void join(range added);
  };
  // Exists only while text waits.
  struct waiting {
    rooms* home = nullptr;
    chain ready;
    std::unique_ptr<reassembly> ahead;
  };
  // Text below a quarter of its buffer is copied behind the last slice, so that it does not pin the buffer.
  static constexpr std::uint32_t copy_share = 4;

  [[nodiscard]] const reassembly* ahead() const { return waiting_ ? waiting_->ahead.get() : nullptr; }
  void leave_empty();
  void append(pool& buffers, slice text);
  void insert_ahead(std::uint64_t offset, slice text);
  /// The range ahead of the gap that holds the offset; an empty one where none does.
  [[nodiscard]] range range_around(std::uint64_t offset) const;

  std::unique_ptr<waiting> waiting_;
  std::uint64_t taken_ = 0;  // octets, where none waits
};

}  // namespace tunic::tcp
