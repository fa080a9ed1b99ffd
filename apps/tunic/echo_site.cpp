#include "apps/tunic/echo_site.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "apps/tunic/echo_pages.hpp"
#include "http/core/cookie.hpp"
#include "http/core/date.hpp"
#include "http/core/form.hpp"
#include "http/core/grammar.hpp"
#include "http/core/negotiation.hpp"
#include "http/server/listing.hpp"
#include "http/server/representation.hpp"
#include "http/server/router.hpp"
#include "http/server/upload.hpp"

namespace tunic::app {
namespace {

using http::request;
using http::response;
using http::status_code;

constexpr std::string_view plain = "text/plain; charset=utf-8", html = "text/html; charset=utf-8";
constexpr std::size_t echoed_whole = 64 * 1024;  // octets of content that are read before the answer begins
constexpr std::size_t block = 64 * 1024;         // octets written at once
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 40;

/// A number in a query, `otherwise` where it is not given. Throws refusal (400) beyond `most`.
double number_of(const request& in, std::string_view name, double otherwise, double most) {
  const auto form = http::parse_form(in.query());
  const auto text = http::value_of(form, name);
  if (text.empty()) return otherwise;
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= most))
    throw http::refusal(status_code::bad_request,
                        std::string(name) + " is a number from 0 to " + std::to_string(static_cast<long>(most)));
  return value;
}

/// A parameter of the path that is a whole number. Throws refusal (400) outside of its range.
std::uint64_t whole_number(const request& in, std::string_view name, std::uint64_t least, std::uint64_t most) {
  const auto value = http::grammar::parse_length(in.parameter(name));
  if (!value || *value < least || *value > most)
    throw http::refusal(status_code::bad_request, std::string(name) + " is a number from " + std::to_string(least) +
                                                      " to " + std::to_string(most));
  return *value;
}

response page(std::string text) {
  response out;
  out.set_content(std::move(text), html);
  return out;
}

asio::awaitable<void> sleep_for(double seconds) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
  co_await timer.async_wait(asio::use_awaitable);
}

/// GET /: "OK", with all that a cache asks for.
class front_page final : public http::handler {
 public:
  front_page() {
    static constexpr std::string_view text = "OK";
    one_.header.add("Content-Type", plain);
    one_.header.add("ETag", "\"ok\"");
    one_.modified = std::time(nullptr);
    one_.header.add("Last-Modified", http::imf_fixdate(*one_.modified).text());
    one_.header.add("Accept-Ranges", "bytes");
    one_.content = http::shared_octets{nullptr, std::as_bytes(std::span(text))};
  }

  asio::awaitable<void> handle(request& in, response& out) override {
    static constexpr std::array offers{plain};
    if (http::preferred_type(in.header, offers))
      http::answer_with(in, one_, out);
    else
      out = response::error(status_code::not_acceptable);
    return {};
  }

 private:
  http::representation one_;
};

/// POST: the content comes back. One that is short is read first, so that what breaks a rule is answered as such; a
/// longer one comes back while it is read.
asio::awaitable<response> echo_content(request& in) {
  std::string begin;
  bool ended = false;
  while (!ended && begin.size() < echoed_whole) {
    const auto octets = co_await in.content.read();
    ended = octets.empty();
    begin.append(reinterpret_cast<const char*>(octets.data()), octets.size());
  }
  const std::string type(in.header.find("Content-Type").value_or("application/octet-stream"));
  if (ended) {
    response out;
    out.set_content(std::move(begin), type);
    co_return out;
  }
  co_return response::stream(
      type,
      [&in, begin = std::move(begin)](http::content_sink& to) -> asio::awaitable<void> {
        co_await to.write(begin);
        for (;;) {
          const auto octets = co_await in.content.read();
          if (octets.empty()) co_return;
          co_await to.write(octets);
        }
      },
      in.content.length());
}

/// Where nothing else is.
asio::awaitable<response> anywhere(request& in) {
  if (in.method == "POST" || in.method == "PUT" || in.method == "PATCH") co_return co_await echo_content(in);
  throw http::refusal(status_code::not_found, "/help says what there is");
}

response echo_fields(const request& in) {
  std::string lines;
  for (const auto [name, value] : in.header) lines.append(name).append(": ").append(value).append("\n");
  return response::text(std::move(lines));
}

response echo_cookies(const request& in) {
  std::string lines;
  for (const auto& [name, value] : http::cookies_of(in.header))
    lines.append(name).append("=").append(value).append("\n");
  return response::text(std::move(lines));
}

response set_cookie(const request& in) {
  auto out = response::redirect("/cookie", status_code::see_other);
  for (const auto& [name, value] : http::parse_form(in.query())) {
    try {
      out.head.header.add("Set-Cookie", http::set_cookie{.name = name, .value = value}.text());
    } catch (const std::invalid_argument& e) {
      throw http::refusal(status_code::bad_request, e.what());
    }
  }
  return out;
}

asio::awaitable<response> wait(request& in) {
  co_await sleep_for(number_of(in, "s", 1, 3600));
  co_return response::text("job done");
}

response stream(const request& in) {
  const double lines = number_of(in, "n", 10, 1e6), pause = number_of(in, "s", 0.1, 3600);
  return response::stream(plain, [=](http::content_sink& to) -> asio::awaitable<void> {
    for (int i = 1; i <= lines; ++i) {
      if (i > 1) co_await sleep_for(pause);
      co_await to.write("line " + std::to_string(i) + "\n");
    }
    to.trailer.add("Lines", std::to_string(static_cast<long>(lines)));
  });
}

response events(const request& in) {
  const double many = number_of(in, "n", 1e6, 1e6), pause = number_of(in, "s", 1, 3600);
  auto out = response::stream("text/event-stream", [=](http::content_sink& to) -> asio::awaitable<void> {
    for (int i = 1; i <= many; ++i) {
      if (i > 1) co_await sleep_for(pause);
      const auto id = std::to_string(i);
      co_await to.write(std::string("id: ").append(id).append("\ndata: event ").append(id).append("\n\n"));
    }
  });
  out.head.header.add("Cache-Control", "no-cache");
  return out;
}

response bytes(const request& in) {
  const auto size = whole_number(in, "n", 0, most_bytes);
  return response::stream(
      "application/octet-stream",
      [size](http::content_sink& to) -> asio::awaitable<void> {
        std::string octets(static_cast<std::size_t>(std::min<std::uint64_t>(size, block)), '\0');
        for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<char>('a' + i % 26);
        for (std::uint64_t left = size; left != 0;) {
          const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, octets.size()));
          co_await to.write(std::string_view(octets).substr(0, n));
          left -= n;
        }
      },
      size);
}

response status(const request& in) {
  const auto code = static_cast<status_code>(whole_number(in, "n", 200, 599));
  if (code == status_code::partial_content)
    throw http::refusal(status_code::bad_request, "206 is for who asks for a range");
  if (const auto n = http::number(code); n > 300 && n < 309 && code != status_code::not_modified)
    return response::redirect("/", code);
  auto out = response::error(code);
  // What RFC 9110 has with these, always.
  if (http::number(code) == 401) out.head.header.add("WWW-Authenticate", "Basic realm=\"nobody gets in here\"");
  if (http::number(code) == 407) out.head.header.add("Proxy-Authenticate", "Basic realm=\"nobody gets in here\"");
  if (code == status_code::method_not_allowed) out.head.header.add("Allow", "OPTIONS");
  if (code == status_code::upgrade_required) out.head.header.add("Upgrade", "HTTP/1.1");
  return out;
}

response redirect(const request& in) {
  const auto left = whole_number(in, "n", 1, 100);
  return response::redirect(left == 1 ? "/" : "/redirect/" + std::to_string(left - 1), status_code::found);
}

response script(const request& in) {
  response out;
  const auto n = std::to_string(whole_number(in, "n", 1, 10));
  out.set_content(script_text(n), "text/javascript; charset=utf-8");
  return out;
}

asio::awaitable<response> take_form(request& in) {
  const auto form = co_await http::receive_form(in, std::filesystem::temp_directory_path().string());
  nlohmann::ordered_json all;
  for (const auto& [name, value] : form.fields) all["fields"].push_back({{"name", name}, {"value", value}});
  for (const auto& file : form.files)
    all["files"].push_back(
        {{"field", file.field}, {"name", file.name}, {"type", file.media_type}, {"size", file.size()}});
  response out;
  out.set_content(all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", "application/json");
  co_return out;
}

/// How deep the brackets of a JSON text go; writing it takes a stack and an indentation that grow with that.
std::size_t depth_of(std::string_view json) {
  std::size_t depth = 0, most = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') quoted = !quoted;
    if (quoted) {
      i += c == '\\' ? 1 : 0;
    } else if (c == '[' || c == '{') {
      most = std::max(most, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return most;
}

/// POST /json: the same value, laid out anew.
asio::awaitable<response> lay_out_json(request& in) {
  constexpr std::size_t deepest = 100;
  const auto text = co_await in.content.read_all();
  if (depth_of(text) > deepest) throw http::refusal(status_code::bad_request, "this JSON is nested too deeply");
  const auto value = nlohmann::ordered_json::parse(text, nullptr, false);
  if (value.is_discarded()) throw http::refusal(status_code::bad_request, "this is no JSON");
  response out;
  out.set_content(value.dump(2) + "\n", "application/json");
  co_return out;
}

}  // namespace

std::shared_ptr<http::handler> make_echo_site() {
  auto site = std::make_shared<http::router>();
  site->get("/", std::make_shared<front_page>())
      .post("/", echo_content)
      .on("PUT", "/", echo_content)
      .on("PATCH", "/", echo_content)
      .any("/echo", echo_fields)
      .get("/cookie", echo_cookies)
      .get("/cookie/set", set_cookie)
      .get("/wait", wait)
      .get("/stream", stream)
      .get("/sse", events)
      .get("/bytes/{n}", bytes)
      .any("/status/{n}", status)
      .get("/redirect/{n}", redirect)
      .get("/help", [](const request&) { return page(help_page()); })
      .get("/scripts", [](const request&) { return page(scripts_page()); })
      .get("/script/{n}", script)
      .get("/form", [](const request&) { return page(form_page()); })
      .post("/form", take_form)
      .get("/upload", [](const request&) { return page(upload_page()); })
      .post("/upload", take_form)
      .post("/json", lay_out_json)
      .otherwise(anywhere);
  return site;
}

}  // namespace tunic::app
