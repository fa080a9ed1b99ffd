#include "http/server/request.hpp"

namespace tunic::http {

asio::awaitable<std::span<const std::byte>> request_content::read() {
  if (from_ == nullptr) co_return std::span<const std::byte>{};
  co_return co_await from_->read_content();
}

asio::awaitable<std::string> request_content::read_all(std::size_t most) {
  std::string all;
  const auto announced = length().value_or(0);
  if (announced > most) throw refusal(status_code::content_too_large, "the content is too large");
  all.reserve(static_cast<std::size_t>(announced));
  for (;;) {
    const auto octets = co_await read();
    if (octets.empty()) co_return all;
    if (octets.size() > most - all.size()) throw refusal(status_code::content_too_large, "the content is too large");
    all.append(reinterpret_cast<const char*>(octets.data()), octets.size());
  }
}

std::optional<std::uint64_t> request_content::length() const {
  if (from_ == nullptr || from_->frame().by == framing::kind::none) return 0;
  if (from_->frame().by == framing::kind::length) return from_->frame().length;
  return std::nullopt;
}

const fields& request_content::trailer() const {
  static const fields none;
  return from_ == nullptr ? none : from_->trailer();
}

void request::clear() {
  method.clear();
  target.clear();
  version = protocol_version::http_1_1;
  header.clear();
  path.clear();
  parameters.clear();
  batch = {};
  peer = {};
}

std::string_view request::authority() const {
  const std::string_view all = target;
  if (const auto at = all.find("://"); !all.starts_with('/') && at != std::string_view::npos) {
    const auto rest = all.substr(at + 3);
    return rest.substr(0, rest.find_first_of("/?"));
  }
  return header.find("Host").value_or(std::string_view{});
}

std::string_view request::parameter(std::string_view name) const {
  for (const auto& [n, value] : parameters)
    if (n == name) return value;
  return {};
}

}  // namespace tunic::http
