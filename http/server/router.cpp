#include "http/server/router.hpp"

#include <stdexcept>

namespace tunic::http {

// A place in the tree of patterns, one level a segment.
struct router::node {
  std::map<std::string, std::unique_ptr<node>, std::less<>> text;
  std::unique_ptr<node> one, rest;                                       // "{name}", "{name...}"
  std::map<std::string, std::shared_ptr<handler>, std::less<>> methods;  // "" for any other
  std::vector<std::string> names;  // of the parameters on the way, those of the pattern that was added first

  handler* for_method(std::string_view method) const {
    for (const std::string_view m : {method, method == "HEAD" ? std::string_view("GET") : method, std::string_view()})
      if (const auto found = methods.find(m); found != methods.end()) return found->second.get();
    return nullptr;
  }
  std::string allowed() const {
    std::string all = "OPTIONS";
    for (const auto& [method, h] : methods)
      if (method != "OPTIONS") all.append(", ").append(method);
    if (methods.contains("GET") && !methods.contains("HEAD")) all.append(", HEAD");
    return all;
  }
};

namespace {

constexpr std::string_view known_methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

std::string_view take_segment(std::string_view& path) {
  const auto slash = path.find('/');
  const auto segment = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  return segment;
}

}  // namespace

router::router() : root_(std::make_unique<node>()) {}
router::~router() = default;

void router::add(std::string_view method, std::string_view pattern, const std::shared_ptr<handler>& h) {
  const auto expect = [&](bool good) {
    if (!good) throw std::invalid_argument("not a pattern for paths: \"" + std::string(pattern) + "\"");
  };
  expect(pattern.starts_with('/'));
  std::vector<std::string> names;
  node* at = root_.get();
  for (auto rest = pattern.substr(1);;) {
    const bool last = rest.find('/') == std::string_view::npos;
    auto segment = take_segment(rest);
    if (!segment.starts_with('{')) {
      expect(segment.find_first_of("{}") == std::string_view::npos);
      auto& next = at->text[std::string(segment)];
      if (!next) next = std::make_unique<node>();
      at = next.get();
    } else {
      expect(segment.ends_with('}') && segment.size() > 2);
      segment = segment.substr(1, segment.size() - 2);
      const bool takes_all = segment.ends_with("...");
      if (takes_all) segment.remove_suffix(3);
      expect(!segment.empty() && segment.find_first_of("{}") == std::string_view::npos && (last || !takes_all));
      auto& next = takes_all ? at->rest : at->one;
      if (!next) next = std::make_unique<node>();
      names.emplace_back(segment);
      at = next.get();
    }
    if (last) break;
  }
  if (at->methods.empty()) at->names = names;
  expect(at->names == names);  // one place cannot have two sets of names
  if (!at->methods.try_emplace(std::string(method), h).second)
    throw std::logic_error("two handlers for " + std::string(method) + " " + std::string(pattern));
}

const router::node* router::find(const node& from, std::string_view path, request& in) {
  auto rest = path;
  const bool last = rest.find('/') == std::string_view::npos;
  const auto segment = take_segment(rest);
  const auto go_on = [&](const node& next) -> const node* {
    if (!last) return find(next, rest, in);
    return next.methods.empty() ? nullptr : &next;
  };
  if (const auto text = from.text.find(segment); text != from.text.end())
    if (const node* const found = go_on(*text->second)) return found;
  if (from.one && !segment.empty()) {
    const auto before = in.parameters.size();
    in.parameters.emplace_back(std::string(), segment);
    if (const node* const found = go_on(*from.one)) return found;
    in.parameters.resize(before);
  }
  if (!from.rest) return nullptr;
  in.parameters.emplace_back(std::string(), path);
  return from.rest.get();
}

asio::awaitable<void> router::handle(request& in, response& out) {
  const bool is_path = in.path.starts_with('/');
  const auto outer = in.parameters.size();  // those of a router that this one is beneath
  const node* const at = is_path ? find(*root_, std::string_view(in.path).substr(1), in) : nullptr;
  if (at != nullptr) {
    for (std::size_t i = 0; i < at->names.size(); ++i) in.parameters[outer + i].first = at->names[i];
    if (handler* const h = at->for_method(in.method)) return h->handle(in, out);
  } else if (is_path && otherwise_) {
    return otherwise_->handle(in, out);
  }
  const auto allowed = at != nullptr ? at->allowed() : std::string(known_methods);
  if (in.method_is("OPTIONS") && (at != nullptr || in.path == "*")) {
    out.head.status = status_code::no_content;
    out.head.header.add("Allow", allowed);
  } else if (at == nullptr && is_path) {
    out = response::error(status_code::not_found);
  } else {
    out = response::error(is_known_method(in.method) ? status_code::method_not_allowed : status_code::not_implemented);
    out.head.header.add("Allow", allowed);
  }
  return {};
}

}  // namespace tunic::http
