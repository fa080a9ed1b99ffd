#include "http/server/exchange.hpp"

namespace tunic::http {

response response::text(std::string content, status_code status) {
  response out;
  out.head.status = status;
  out.set_content(std::move(content), "text/plain; charset=utf-8");
  return out;
}

response response::error(status_code status, std::string_view why) {
  std::string content = std::to_string(number(status)).append(" ").append(reason_phrase(status));
  if (!why.empty()) content.append(": ").append(why);
  return text(std::move(content.append("\n")), status);
}

void response::set_content(std::string octets, std::string_view media_type) {
  head.header.set("Content-Type", media_type);
  auto owner = std::make_shared<const std::string>(std::move(octets));
  const auto view = std::as_bytes(std::span(*owner));
  content = shared_octets{std::move(owner), view};
}

void response::clear() {
  head.status = status_code::ok;
  head.header.clear();
  content = std::monostate{};
}

}  // namespace tunic::http
