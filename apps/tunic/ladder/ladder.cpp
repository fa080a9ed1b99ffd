#include "apps/tunic/ladder/ladder.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <vector>

#include "apps/tunic/ladder/explanation.hpp"

namespace tunic::ladder {
namespace {

constexpr int state_width = 12;      // "SYN-RECEIVED"
constexpr int least_segment = 38;    // columns of the segment
constexpr std::size_t run_head = 4;  // segments of a run that are printed
constexpr std::size_t run_tail = 2;
constexpr std::size_t run_fold = 3;  // fewer are not worth folding

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  std::array<char, 512> room;
  va_list arguments;
  va_start(arguments, format);
  const int size = std::vsnprintf(room.data(), room.size(), format, arguments);
  va_end(arguments);
  return {room.data(), std::min(static_cast<std::size_t>(size), room.size() - 1)};
}

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string octets(std::uint64_t n) {
  if (n < 10'000) return grouped(n) + (n == 1 ? " octet" : " octets");
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB"};
  double v = static_cast<double>(n) / 1024;
  std::size_t unit = 0;
  for (; v >= 1024 && unit + 1 < units.size(); ++unit) v /= 1024;
  return text("%.1f %s", v, units[unit]);
}

double milliseconds(std::chrono::nanoseconds t) {
  return std::chrono::duration<double, std::milli>{t}.count();
}

/// The segment without its options: those of a SYN stand in a line of their own, timestamps would only tire.
std::string segment_text(const row& r) {
  wire::tcp_header h = r.header;
  if (h.flags.syn)
    h.options = {};
  else
    h.options.timestamps.reset();
  return wire::print(h, r.text, r.base);
}

std::string options_text(const row& r) {
  const std::string all = wire::print(r.header, r.text, r.base);
  const std::size_t at = all.find(" <");
  return r.header.flags.syn && at != std::string::npos ? all.substr(at + 1) : std::string{};
}

/// A row with what is said about it.
struct line {
  const row& r;
  std::string explanation;
  /// Of ordinary text and acknowledgements, which may be folded.
  [[nodiscard]] bool is_plain() const {
    return explanation.empty() && r.step.before.left == r.step.after.left && r.step.before.right == r.step.after.right;
  }
};

class ladder_printer {
 public:
  ladder_printer(std::ostream& out, const conversation& c) : out_(out), c_(c) {
    lines_.reserve(c.rows.size());
    for (const row& r : c.rows) {
      lines_.push_back({r, explain(c, r)});
      width_ = std::max(width_, static_cast<int>(segment_text(r).size()));
    }
  }

  void print(std::size_t number) {
    print_heading(number);
    for (iterator at = lines_.begin(); at != lines_.end();) {
      const auto run_end = std::find_if_not(at, lines_.cend(), [](const line& l) { return l.is_plain(); });
      const auto run = static_cast<std::size_t>(run_end - at);
      if (run >= run_head + run_fold + run_tail) {
        at = print_lines(at, at + run_head);
        print_folded(at, run_end - run_tail);
        at = run_end - run_tail;
      }
      at = print_lines(at, run_end);
      if (at != lines_.end()) at = print_lines(at, at + 1);
    }
    print_ending();
  }

 private:
  using iterator = std::vector<line>::const_iterator;

  [[nodiscard]] const char* name(side s) const {
    if (!c_.left_is_ours) return s == side::left ? "A" : "B";
    return s == side::left ? "tunic" : "peer";
  }

  [[nodiscard]] std::string state_text(side s, derived_state d) const {
    if (!d) d = c_.before_first(s);
    return d ? std::string{tcp::name(*d)} : "?";
  }

  void print_heading(std::size_t number) {
    both<std::uint64_t> sent;
    for (const row& r : c_.rows) sent[r.from] += r.text;
    const row& first = c_.rows.front();
    out_ << text("connection %zu: %s %s, %s %s", number, name(side::left), c_.ends.left.to_string().c_str(),
                 name(side::right), c_.ends.right.to_string().c_str());
    if (first.header.flags.syn && !first.header.flags.ack)
      out_ << text("; %s opens it\n", name(first.from));
    else
      out_ << "; it was open before the capture began\n";
    out_ << "  " << grouped(c_.rows.size()) << (c_.rows.size() == 1 ? " segment, " : " segments, ")
         << text("%.3f ms", milliseconds(c_.rows.back().time - first.time));
    for (const side s : {side::left, side::right}) out_ << "; " << octets(sent[s]) << " from " << name(s);
    out_ << "\n  The states are derived from the datagrams: each end is taken to hear a segment when it is captured"
         << (c_.left_is_ours ? ",\n  which is so for tunic's and assumed of the peer's.\n\n" : ".\n\n");
    out_ << text("%10s  %-*s       %-*s  %-*s  %s\n", "ms", state_width, name(side::left), width_,
                 "segment, numbers relative to each SYN", state_width, name(side::right), "absolute seq / ack");
    out_ << text("%10s  %-*s       %-*s  %s\n", "", state_width, state_text(side::left, first.step.before.left).c_str(),
                 width_, "", state_text(side::right, first.step.before.right).c_str());
  }

  iterator print_lines(iterator at, iterator end) {
    for (; at != end; ++at) print_line(*at);
    return end;
  }

  void print_line(const line& l) {
    const row& r = l.r;
    const wire::tcp_header& h = r.header;
    std::string absolute = std::to_string(h.seq_number.value());
    if (h.flags.ack) absolute += " / " + std::to_string(h.ack_number.value());
    out_ << text("%10.3f  %-*s  %s  %-*s  %-*s  %s\n", milliseconds(r.time - c_.rows.front().time), state_width,
                 state_text(side::left, r.step.after.left).c_str(), r.from == side::left ? "-->" : "<--", width_,
                 segment_text(r).c_str(), state_width, state_text(side::right, r.step.after.right).c_str(),
                 absolute.c_str());
    for (const std::string& more :
         {options_text(r), r.start_line.empty() ? "" : '"' + r.start_line + '"', l.explanation})
      if (!more.empty()) print_beneath(more);
  }

  void print_folded(iterator at, iterator end) {
    both<std::uint64_t> sent;
    const auto count = static_cast<std::uint64_t>(end - at);
    for (; at != end; ++at) sent[at->r.from] += at->r.text;
    std::string all = text("... %s segments", grouped(count).c_str());
    for (const side s : {side::left, side::right})
      if (sent[s] > 0) all += ", " + octets(sent[s]) + " from " + name(s);
    print_beneath(all + " ...");
  }

  void print_beneath(const std::string& sentence) {
    out_ << std::string(10 + 2 + state_width + 7, ' ') << sentence << '\n';
  }

  void print_ending() {
    for (const side s : {side::left, side::right})
      if (c_.replay.state(s) == tcp::state::time_wait)
        out_ << text("%10s  %s is CLOSED after 2 MSL in TIME-WAIT, of which no segment tells.\n", "", name(s));
    if (!c_.replay.over()) out_ << text("%10s  The capture ends here; the connection has not.\n", "");
    out_ << '\n';
  }

  std::ostream& out_;
  const conversation& c_;
  std::vector<line> lines_;
  int width_ = least_segment;
};

}  // namespace

void print(std::ostream& out, const conversation& c, std::size_t number) {
  ladder_printer{out, c}.print(number);
}

std::string print_capture(std::istream& in, std::ostream& out) {
  capture from{in};
  conversations found;
  while (const auto c = from.next()) found.on_datagram(*c);
  std::size_t number = 0;
  for (const auto& c : found.all()) print(out, *c, ++number);

  std::string notice;
  if (number == 0) notice = "there is no TCP connection in the capture";
  if (found.others() > 0) {
    if (!notice.empty()) notice += "; ";
    notice += grouped(found.others()) + (found.others() == 1 ? " datagram is" : " datagrams are") +
              " no TCP segment (ICMP, UDP, a fragment) and left out";
  }
  if (from.cut()) notice += std::string{notice.empty() ? "" : "; "} + "the capture ends in the middle of a datagram";
  return notice;
}

}  // namespace tunic::ladder
