#include "http/client/error.hpp"

#include <string>

namespace tunic::http {
namespace {

class category final : public std::error_category {
  const char* name() const noexcept override { return "tunic.http.client"; }

  std::string message(int value) const override {
    switch (static_cast<client_error>(value)) {
      case client_error::bad_url: return "this is not an http:// URL (https:// is not spoken)";
      case client_error::unsupported_redirect: return "the server redirects to what is no http:// URL";
      case client_error::too_many_redirects: return "the server redirects again and again";
      case client_error::bad_response: return "the server sent what is not a valid HTTP/1.1 response";
      case client_error::truncated: return "the connection closed before the response was complete";
      case client_error::no_response: return "the server closed the connection without a response";
      case client_error::reset: return "the server reset the connection before the response was complete";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& client_category() {
  static const category one;
  return one;
}

std::error_code make_error_code(client_error error) {
  return {static_cast<int>(error), client_category()};
}

}  // namespace tunic::http
