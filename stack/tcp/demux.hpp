#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/base/siphash.hpp"
#include "stack/base/timer_wheel.hpp"

namespace tunic::tcp {

enum class demux_kind : std::uint8_t { tcb, time_wait };

/// What the demultiplexer finds: a connection, or what is left of one in TIME-WAIT. Its timer stands in the wheel.
struct demux_node : timer_node {
  demux_node(demux_kind k, const four_tuple& e) : ends(e), kind(k) {}

  demux_node* next_in_bucket = nullptr;
  std::uint32_t hash = 0;
  four_tuple ends;
  demux_kind kind;
};

/// Finds a connection by its two ends: a hash table keyed with the stack's secret, so that nobody outside can make it
/// degenerate. O(1); it grows by doubling and never shrinks.
class demux {
 public:
  explicit demux(const secret& key);

  [[nodiscard]] demux_node* find(const four_tuple& ends) const;
  /// `n.ends` must not be in the table.
  void insert(demux_node& n);
  void remove(demux_node& n);
  [[nodiscard]] std::size_t size() const { return size_; }
  /// How many nodes find() looks at in the worst case.
  [[nodiscard]] std::size_t longest_chain() const;

  /// Calls f(node) for each; f may remove the node it is given.
  template <class F>
  void for_each(F f) {
    for (demux_node* head : buckets_)
      for (demux_node* n = head; n;) {
        demux_node* next = n->next_in_bucket;
        f(*n);
        n = next;
      }
  }

 private:
  [[nodiscard]] std::uint32_t hash_of(const four_tuple& ends) const;
  void grow();

  secret key_;
  std::vector<demux_node*> buckets_;
  std::size_t size_ = 0;
};

}  // namespace tunic::tcp
