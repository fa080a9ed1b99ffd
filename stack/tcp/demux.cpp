#include "stack/tcp/demux.hpp"

#include <algorithm>
#include <cassert>

#include "stack/tcp/isn.hpp"

namespace tunic::tcp {

demux::demux(const secret& key) : key_(key), buckets_(1024) {}

std::uint32_t demux::hash_of(const four_tuple& ends) const {
  return static_cast<std::uint32_t>(keyed_hash(key_, ends, hash_use::demux));
}

demux_node* demux::find(const four_tuple& ends) const {
  const std::uint32_t h = hash_of(ends);
  for (demux_node* n = buckets_[h & (buckets_.size() - 1)]; n; n = n->next_in_bucket)
    if (n->hash == h && n->ends == ends) return n;
  return nullptr;
}

void demux::insert(demux_node& n) {
  if (size_ == buckets_.size()) grow();
  n.hash = hash_of(n.ends);
  demux_node*& head = buckets_[n.hash & (buckets_.size() - 1)];
  n.next_in_bucket = head;
  head = &n;
  ++size_;
}

void demux::remove(demux_node& n) {
  demux_node** at = &buckets_[n.hash & (buckets_.size() - 1)];
  while (*at != &n) {
    assert(*at);
    at = &(*at)->next_in_bucket;
  }
  *at = n.next_in_bucket;
  n.next_in_bucket = nullptr;
  --size_;
}

std::size_t demux::longest_chain() const {
  std::size_t longest = 0;
  for (const demux_node* n : buckets_) {
    std::size_t length = 0;
    for (; n; n = n->next_in_bucket) ++length;
    longest = std::max(longest, length);
  }
  return longest;
}

void demux::grow() {
  std::vector<demux_node*> larger(buckets_.size() * 2);
  for (demux_node* n : buckets_)
    while (n) {
      demux_node* next = n->next_in_bucket;
      demux_node*& head = larger[n->hash & (larger.size() - 1)];
      n->next_in_bucket = head;
      head = n;
      n = next;
    }
  buckets_ = std::move(larger);
}

}  // namespace tunic::tcp
