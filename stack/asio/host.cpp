#include "stack/asio/host.hpp"

#include <random>

namespace tunic {

secret draw_secret() {
  std::random_device source;
  std::uniform_int_distribution<unsigned> octet{0, 255};
  secret key;
  for (std::uint8_t& o : key) o = static_cast<std::uint8_t>(octet(source));
  return key;
}

host::host(asio::io_context& io, device& d, const host_options& o)
    : pump_(std::make_shared<detail::pump>(io, d, to_config(o, d), o.key ? *o.key : draw_secret(), o.observer,
                                           detail::pump::callbacks{o.clock, o.on_device}, o.busy_poll)) {
  pump_->open();
}

host::~host() {
  pump_->close();
  pump_->destroy_stack();
}

}  // namespace tunic
