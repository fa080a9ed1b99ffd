#include "stack/tcp/fast_open_cache.hpp"

namespace tunic::tcp {
namespace {

four_tuple without_ports(four_tuple e) {
  e.local.port = e.remote.port = 0;
  return e;
}

}  // namespace

const fast_open_experience* fast_open_cache::find(const four_tuple& ends) const {
  const auto found = known_.find(without_ports(ends));
  return found == known_.end() ? nullptr : &found->second->what;
}

fast_open_experience& fast_open_cache::at(const four_tuple& ends, std::size_t most) {
  const four_tuple key = without_ports(ends);
  if (const auto found = known_.find(key); found != known_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return found->second->what;
  }
  while (!order_.empty() && order_.size() >= most) {
    known_.erase(order_.back().ends);
    order_.pop_back();
  }
  order_.push_front({key, {}});
  known_.emplace(key, order_.begin());
  return order_.front().what;
}

void fast_open_cache::clear() {
  known_.clear();
  order_.clear();
}

}  // namespace tunic::tcp
