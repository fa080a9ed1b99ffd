#include "http/server/server.hpp"

namespace tunic::http {

server::~server() {
  service_->close();
}
void server::stop() {
  service_->stop();
}
void server::close() {
  service_->close();
}
void server::expire(std::chrono::steady_clock::time_point now) {
  service_->expire(now);
}
std::size_t server::connections() const {
  return service_->connections();
}

}  // namespace tunic::http
