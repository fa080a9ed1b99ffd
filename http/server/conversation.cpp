#include "http/server/conversation.hpp"

#include <utility>

#include <asio/error.hpp>

#include "http/core/grammar.hpp"
#include "http/server/connection.hpp"

namespace tunic::http {
namespace {

constexpr int requests_a_turn = 64;        // and passes over input that was there at once
constexpr std::size_t modest = 32 * 1024;  // octets of memory for texts
constexpr std::size_t unwanted_limit =
    1024 * 1024;  // octets of content that nobody wants and that are read all the same

}  // namespace

conversation::conversation(service& shared)
    : service_(shared), reader_(request_, service_.options().bounds), sender_(service_.options()), body_(framing{}) {
  request_.content = request_content(*this);
}

void conversation::begin(connection& on) {
  on_ = &on;
  reader_.restart();
  states_ = {};
  sender_.begin(on.stream(), on.wait(), on.sending());
  gone_.slot().clear();
  in_turn_ = 0;
  lent_ = 0;
  cut_short_ = false;
}

void conversation::end() {
  on_ = nullptr;
  pending_ = {};
  sender_.end();
  request_.clear();
  response_.clear();
}

bool conversation::is_modest() const {
  const std::size_t of_request = request_.method.capacity() + request_.target.capacity() + request_.header.capacity() +
                                 request_.path.capacity() + reader_.capacity();
  const std::size_t of_response =
      response_.head.header.capacity() + content_sink::trailer.capacity() + sender_.capacity();
  return of_request + of_response <= modest;
}

conversation::need conversation::proceed() {
  while (!sender_.failure()) {
    std::error_code error;
    const auto input = on_->stream().borrow(error);
    auto rest = input;
    next_ = take(rest);
    on_->stream().consume(input.size() - rest.size());
    switch (next_) {
      case step::read: break;
      case step::flush:
        if (sender_.flush_now() || sender_.failure()) break;
        return need::coroutine;
      case step::close:
        if (sender_.flush_now() || sender_.failure()) return closing();
        return need::coroutine;
      case step::await_handler:
      case step::send_content:
      case step::hand_over: return need::coroutine;
    }
    if (next_ == step::read && error) {
      if (!sender_.flush_now()) {
        if (sender_.failure()) return need::nothing;
        next_ = step::flush;
        return need::coroutine;
      }
      // The peer sends no more. What it asked is answered: a half-close is no reason not to.
      if (!would_block(error)) return need::nothing;
      in_turn_ = 0;
      return need::input;
    }
    if (++in_turn_ >= requests_a_turn) {
      in_turn_ = 0;
      return need::turn;
    }
  }
  return need::nothing;
}

asio::awaitable<conversation::need> conversation::work() {
  if (next_ == step::await_handler) {
    co_await sender_.flush();
    if (sender_.failure()) co_return need::nothing;
    co_await await_handler();
    std::error_code ignored;
    behind_ = on_->stream().borrow(ignored).size();
    next_ = respond();
  }
  switch (next_) {
    case step::await_handler:
    case step::read: break;
    case step::flush: co_await sender_.flush(); break;
    case step::send_content:
      co_await send_content();
      // Where the end of the connection is that of the content, only a reset says that it is not whole.
      if (cut_short_ && is_1_0_) {
        on_->stream().abort();
        co_return need::nothing;
      }
      if (!must_close()) break;
      co_await sender_.flush();
      co_return closing();
    case step::hand_over: co_await hand_over(); co_return closing();
    case step::close: co_await sender_.flush(); co_return closing();
  }
  if (++in_turn_ < requests_a_turn) co_return proceed();
  in_turn_ = 0;
  co_return need::turn;
}

conversation::need conversation::end_with(const problem& why) {
  next_ = refuse(why);
  if (sender_.flush_now() || sender_.failure()) return closing();
  next_ = step::close;
  return need::coroutine;
}

void conversation::break_off(std::error_code why) {
  sender_.fail(why);
  gone_.emit(asio::cancellation_type::terminal);
}

// Reads requests and has them answered until the input is used up or something has to be waited for.
conversation::step conversation::take(std::span<const std::byte>& input) {
  for (;;) {
    step next = step::read;
    switch (reader_.next(input)) {
      case event::need_more: return step::read;
      case event::head:
        behind_ = input.size();
        next = on_request();
        if (next == step::read && ++in_turn_ >= requests_a_turn) return step::read;
        break;
      case event::body:
        states_.on(role::client, happening::data);
        dropped_ += reader_.body().size();
        patience_.progressed(reader_.body().size(), service_.options().least_rate);
        if (dropped_ > unwanted_limit) {
          states_.disable_keep_alive();
          return step::close;
        }
        break;
      case event::end:
        states_.on(role::client, happening::end_of_message);
        states_.next_cycle();
        break;
      case event::failed: return refuse(reader_.error());
    }
    if (next != step::read) return next;
  }
}

conversation::step conversation::on_request() {
  const auto& options = service_.options();
  on_->wait().end();
  if (options.on_answered) asked_ = waiting::clock::now();
  patience_.reset(options.content_timeout);
  content_read_ = continued_ = false;
  dropped_ = 0;
  states_.on(role::client, happening::request);
  remember_request();
  request_.parameters.clear();
  request_.batch = on_->stream().batch();
  request_.peer = on_->client();
  if (request_.target == std::string_view("*") || request_.method_is("CONNECT"))
    request_.path = request_.target;
  else if (!decode_path(request_.target, request_.path))
    return refuse({status_code::bad_request, "the path is not well encoded"});
  // RFC 9110 §10.1.1: the one expectation there is
  const auto expected = request_.header.find("Expect");
  if (expected && !grammar::same_token(*expected, "100-continue"))
    return refuse({status_code::expectation_failed, "the only expectation met is 100-continue"});
  response_.clear();
  const bool is_trace = request_.method_is("TRACE");
  if (request_.method_is("CONNECT") || (is_trace && !options.trace)) {
    response_ = response::error(status_code::not_implemented);
    return respond();
  }
  if (is_trace) {
    answer_trace();
    return respond();
  }
  try {
    pending_ = service_.answers().handle(request_, response_);
  } catch (...) {
    response_ = response::of_exception();
  }
  return pending_.valid() ? step::await_handler : respond();
}

// RFC 9110 §9.3.8. What a client keeps secret is not shown to whoever made it ask.
void conversation::answer_trace() {
  request_head shown = request_;
  for (const auto name : {"Authorization", "Cookie", "Proxy-Authorization"}) shown.header.remove(name);
  std::string text;
  begin_head(text, shown);
  end_head(text);
  response_.set_content(std::move(text), "message/http");
}

asio::awaitable<void> conversation::await_handler() {
  try {
    co_await await_guarded(std::exchange(pending_, {}));
  } catch (...) {
    response_ = response::of_exception();
  }
  on_->stream().consume(std::exchange(lent_, 0));
}

void conversation::remember_request() {
  is_head_ = request_.method_is("HEAD");
  is_1_0_ = request_.version == protocol_version::http_1_0;
  asks_to_stay_ = wants_keep_alive(request_.version, request_.header);
  // RFC 9110 §10.1.1: not in HTTP/1.0, and not where there is no content
  expects_continue_ = !is_1_0_ && request_.header.count("Expect") != 0 && reader_.frame().by != framing::kind::none;
}

// RFC 9110 §10.1.1: a client that was not told to continue may send its content or not, and nobody knows which.
bool conversation::is_doubtful() const {
  return expects_continue_ && !continued_;
}

bool conversation::nothing_unread() const {
  return content_read_ || reader_.frame().by == framing::kind::none;
}

std::uint64_t conversation::unread() const {
  return content_read_ ? 0 : reader_.frame().length;
}

bool conversation::is_large_unread() const {
  return unread() > unwanted_limit;
}

// Answers a request that broke a rule. Where it ends cannot be trusted any more, so nothing after it is read.
conversation::step conversation::refuse(const problem& what) {
  states_.disable_keep_alive();
  const auto at = states_.of(role::server);
  if (at != state::idle && at != state::send_response) return step::close;  // its response has been sent already
  if (at == state::idle) {                                                  // its head has not come to its end
    asked_ = waiting::clock::now();
    remember_request();
    expects_continue_ = false;
    content_read_ = true;
    behind_ = 0;
  }
  response_ = response::error(what.status, what.why);
  return respond();
}

conversation::step conversation::respond() {
  auto* const next = std::get_if<upgrade>(&response_.content);
  if (next != nullptr && (is_1_0_ || !nothing_unread())) {
    response_ =
        response::error(status_code::bad_request, "another protocol begins behind the content of an HTTP/1.1 request");
    states_.disable_keep_alive();
  } else if (next != nullptr) {
    response_.head.status = status_code::switching_protocols;
  } else if (number(response_.head.status) < 200) {
    response_ =
        response::error(status_code::internal_server_error);  // an interim response is not the handler's to make
  }
  // A producer may yet read the content.
  const bool is_made = std::holds_alternative<produced>(response_.content);
  // Who stops answers what has been pipelined until then.
  const bool is_last = behind_ <= unread() || (!nothing_unread() && reader_.frame().by == framing::kind::chunked);
  if (is_doubtful() || (!is_made && is_large_unread()) || (service_.stopping() && is_last) || !asks_to_stay_ ||
      response_.head.header.has_element("Connection", "close"))
    states_.disable_keep_alive();
  states_.on(role::server, happening::response);
  content_sent_ = 0;
  compose();
  if (std::holds_alternative<upgrade>(response_.content)) return step::hand_over;
  if (!std::holds_alternative<std::monostate>(response_.content)) return step::send_content;
  end_of_response();
  if (must_close()) return step::close;
  return sender_.is_full() ? step::flush : step::read;
}

// Writes the head, and a small content behind it; what remains of response_.content is to be sent.
void conversation::compose() {
  auto& out = sender_.out();
  auto& header = response_.head.header;
  auto& content = response_.content;
  const auto status = number(response_.head.status);
  const bool may_have_content = status >= 200 && status != 204 && status != 304;  // RFC 9110 §6.4.1
  if (status == 205) content = std::monostate{};                                  // RFC 9110 §15.3.6
  const auto length = may_have_content ? response_.length() : 0;
  const bool chunked = !length && !is_1_0_;
  if (!length && !chunked) states_.disable_keep_alive();
  body_ = body_writer({length    ? framing::kind::length
                       : chunked ? framing::kind::chunked
                                 : framing::kind::until_close,
                       length.value_or(0)});

  for (const auto name : {"Connection", "Content-Length", "Transfer-Encoding"}) header.remove(name);
  begin_head(out, response_.head);
  if (header.count("Date") == 0) append_field(out, "Date", service_.date());
  if (std::holds_alternative<upgrade>(content))
    append_field(out, "Connection", "upgrade");
  else if (must_close())
    append_field(out, "Connection", "close");
  else if (is_1_0_)
    append_field(out, "Connection", "keep-alive");
  if (may_have_content && length) append_field(out, "Content-Length", *length);
  if (chunked) append_field(out, "Transfer-Encoding", "chunked");
  end_head(out);

  const auto* const octets = std::get_if<shared_octets>(&content);
  if (!may_have_content || is_head_ || length == 0u) {
    if (!std::holds_alternative<upgrade>(content)) content = std::monostate{};
  } else if (octets != nullptr && sender_.gathers(octets->octets.size())) {
    content_sent_ = octets->octets.size();
    out.append(reinterpret_cast<const char*>(octets->octets.data()), octets->octets.size());
    content = std::monostate{};
  }
}

void conversation::end_of_response() {
  states_.on(role::server, happening::end_of_message);
  const auto& log = service_.options().on_answered;
  const bool whole = !sender_.failure() && !cut_short_;
  if (log) log({request_, response_.head, content_sent_, whole, waiting::clock::now() - asked_});
  states_.next_cycle();
}

}  // namespace tunic::http
