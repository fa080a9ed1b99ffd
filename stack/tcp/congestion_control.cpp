#include "stack/tcp/congestion_control.hpp"

#include "stack/tcp/bbr.hpp"
#include "stack/tcp/cubic.hpp"
#include "stack/tcp/reno.hpp"

namespace tunic::tcp {

std::unique_ptr<congestion_control> make_congestion_control(congestion_algorithm a, std::uint64_t seed) {
  switch (a) {
    case congestion_algorithm::reno: return std::make_unique<reno>();
    case congestion_algorithm::cubic: break;
    case congestion_algorithm::bbr: return std::make_unique<bbr>(seed);
  }
  return std::make_unique<cubic>();
}

}  // namespace tunic::tcp
