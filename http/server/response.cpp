#include "http/server/response.hpp"

#include "http/server/request.hpp"

namespace tunic::http {

shared_octets share(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const auto view = std::as_bytes(std::span(*owner));
  return {std::move(owner), view};
}

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

response response::of_exception() {
  try {
    throw;
  } catch (const refusal& why) {
    return error(why.status(), why.what());
  } catch (...) {
    return error(status_code::internal_server_error);
  }
}

response response::redirect(std::string_view location, status_code status) {
  auto out = error(status);
  out.head.header.add("Location", location);
  return out;
}

response response::stream(std::string_view media_type, std::function<asio::awaitable<void>(content_sink&)> produce,
                          std::optional<std::uint64_t> length) {
  response out;
  out.head.header.add("Content-Type", media_type);
  out.content = produced{std::move(produce), length};
  return out;
}

void response::set_content(std::string octets, std::string_view media_type) {
  head.header.set("Content-Type", media_type);
  content = share(std::move(octets));
}

std::optional<std::uint64_t> response::length() const {
  struct counted {
    std::optional<std::uint64_t> operator()(std::monostate) const { return 0; }
    std::optional<std::uint64_t> operator()(const shared_octets& c) const { return c.octets.size(); }
    std::optional<std::uint64_t> operator()(const file_part& c) const { return c.length; }
    std::optional<std::uint64_t> operator()(const pieces& c) const {
      std::uint64_t all = 0;
      for (const auto& one : c.all) all += std::visit(*this, one).value_or(0);
      return all;
    }
    std::optional<std::uint64_t> operator()(const produced& c) const { return c.length; }
    std::optional<std::uint64_t> operator()(const upgrade&) const { return 0; }
  };
  return std::visit(counted{}, content);
}

void response::clear() {
  head.status = status_code::ok;
  head.header.clear();
  content = std::monostate{};
}

}  // namespace tunic::http
