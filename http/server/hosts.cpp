#include "http/server/hosts.hpp"

#include <algorithm>

#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

std::string_view without_port(std::string_view authority) {
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  auto host = has_port ? authority.substr(0, colon) : authority;
  if (host.ends_with('.')) host.remove_suffix(1);  // the root of the domain name system, which people leave out
  return host;
}

}  // namespace

std::string hosts::lower(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), grammar::lower);
  return out;
}

handler* hosts::site(const std::string& name) const {
  if (const auto found = sites_.find(name); found != sites_.end()) return found->second.get();
  constexpr std::size_t longest_name = 253;  // RFC 1035 §2.3.4
  if (name.size() > longest_name) return otherwise_.get();
  for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
    if (const auto found = sites_.find("*" + name.substr(dot)); found != sites_.end()) return found->second.get();
  return otherwise_.get();
}

asio::awaitable<void> hosts::handle(request& in, response& out) {
  handler* const found = site(lower(without_port(in.authority())));
  if (found != nullptr) return found->handle(in, out);
  out = response::error(status_code::misdirected_request, "there is no such site here");
  return {};
}

}  // namespace tunic::http
