#include "apps/tunic/options.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>

#include <CLI/CLI.hpp>

#include "apps/tunic/impair/units.hpp"
#include "http/core/uri.hpp"
#include "stack/asio/host_options.hpp"

namespace tunic::app {
namespace {

constexpr double longest_msl = 24 * 3600;  // seconds
constexpr double shortest_timeout = 0.001;
constexpr double shortest_interval = 0.001, longest_interval = 3600;
constexpr unsigned most_threads = 64;

/// An option whose text is parsed by `parse`, as often as it is given.
template <class T, class Parse>
CLI::Option* add_list(CLI::App& command, const char* name, std::vector<T>& to, Parse parse, const char* expected,
                      const char* help) {
  return command
      .add_option_function<std::vector<std::string>>(
          name,
          [&to, parse, expected, name](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              const auto value = parse(text);
              if (!value) throw CLI::ValidationError(name, '"' + text + "\" is not " + expected);
              to.push_back(*value);
            }
          },
          help)
      ->expected(1)
      ->take_all();
}

std::optional<prefix> parse_prefix(std::string_view text) {
  return text.find('/') == std::string_view::npos ? std::nullopt : prefix::parse(text);
}

CLI::Option* add_seconds(CLI::App& command, const std::string& name, std::chrono::duration<double>& to, double least,
                         double most, const std::string& help) {
  return command
      .add_option_function<double>(
          name, [&to](double seconds) { to = std::chrono::duration<double>{seconds}; }, help)
      ->check(CLI::Range(least, most))
      ->type_name("SECONDS");
}

void add_network_options(CLI::App& command, network_options& o) {
  const char* const group = "The network";
  command.add_option("--tun", o.tun, "TUN device; made if there is none of that name (needs CAP_NET_ADMIN)")
      ->capture_default_str()
      ->type_name("NAME")
      ->group(group);
  add_list(command, "--address", o.addresses, parse_prefix,
           "an address with a prefix length, such as 198.51.100.2/24 or 2001:db8::2/64",
           "address of the stack, IPv4 or IPv6; may be repeated")
      ->type_name("A/LEN")
      ->group(group);
  add_list(command, "--gateway", o.gateways, address::parse, "an address, such as 198.51.100.1",
           "where everything else is reached; one for IPv4, one for IPv6")
      ->type_name("A")
      ->group(group);
  command.add_option("--mtu", o.mtu, "largest datagram, in octets (default: the device's)")
      ->check(CLI::Range(68, 65535))
      ->type_name("N")
      ->group(group);
  add_list(command, "--host-address", o.host_addresses, parse_prefix,
           "an address with a prefix length, such as 198.51.100.1/24",
           "also set up the kernel's side: bring the device up and give it this address; refused where another device\n"
           "has the address or a route that overlaps; may be repeated")
      ->type_name("A/LEN")
      ->group(group);
  command.add_flag("--any-address", o.any_address, "accept datagrams for every destination")->group(group);
  add_seconds(command, "--msl", o.msl, 0, longest_msl,
              "maximum segment lifetime (default: 30); TIME-WAIT lasts two of them")
      ->group(group);
  add_seconds(command, "--fin-timeout", o.fin_timeout, shortest_timeout, longest_msl,
              "how long a connection that we have closed waits for the peer to close as well (default: 60)")
      ->group(group);

  const char* const watching = "Watching";
  command
      .add_option("--pcap", o.pcap,
                  "write a pcapng capture for Wireshark or 'tunic ladder'; \"-\" is the standard output")
      ->type_name("FILE")
      ->group(watching);
  command.add_flag("--pcap-wire", o.pcap_wire, "cut super-segments in it into the segments that would cross a wire")
      ->needs("--pcap")
      ->group(watching);
  command.add_flag("-v,--verbose", o.verbose, "log state changes and segments to the standard error output")
      ->group(watching);
}

/// For those that send more than a datagram.
void add_sending_options(CLI::App& command, network_options& o) {
  const char* const group = "Sending";
  command
      .add_option_function<std::string>(
          "--congestion",
          [&o](const std::string& text) {
            for (const auto a :
                 {tcp::congestion_algorithm::reno, tcp::congestion_algorithm::cubic, tcp::congestion_algorithm::bbr}) {
              o.congestion = a;
              if (tcp::name(a) == text) return;
            }
            throw CLI::ValidationError("--congestion", '"' + text + "\" is not reno, cubic or bbr");
          },
          "congestion control: reno, cubic or bbr (default: cubic)")
      ->type_name("NAME")
      ->group(group);
  command.add_flag("--pacing", o.pacing, "spread what may be sent over the round trip; bbr always does")->group(group);
}

/// How a server uses the machine.
void add_effort_options(CLI::App& command, network_options& o) {
  const char* const group = "Effort";
  command
      .add_option("--threads", o.threads,
                  "serve on so many threads, each with a stack of its own on a queue of its own of the device;\n"
                  "--backlog and what connections may keep of memory are divided among them")
      ->capture_default_str()
      ->check(CLI::Range(1u, most_threads))
      ->type_name("N")
      ->group(group);
  command
      .add_option_function<std::string>(
          "--busy-poll",
          [&o](const std::string& text) {
            const auto time = parse_time(text);
            if (!time || *time > longest_busy_poll)
              throw CLI::ValidationError("--busy-poll", '"' + text + "\" is not a time of up to 1s, such as 50us");
            o.busy_poll = *time;
          },
          "after a packet, look for the next one so long before sleeping, such as 50us:\n"
          "quicker answers for more processor time (default: sleep at once)")
      ->type_name("TIME")
      ->group(group);
}

void check_effort(const serve_options& o) {
  if (o.network.threads == 1) return;
  if (!o.network.pcap.empty())
    throw CLI::ValidationError("--pcap",
                               "a capture is of one thread: leave out --threads, or capture on the kernel's side, by\n"
                               "  tcpdump -i " +
                                   o.network.tun + " -w FILE");
  if (o.connections_of_a_client != 0)
    throw CLI::ValidationError("--max-connections",
                               "several threads do not count a client's connections together: "
                               "leave out --threads");
}

void check_network(const network_options& o) {
  if (o.addresses.empty() && !o.any_address)
    throw CLI::ValidationError("--address",
                               "the stack needs an address of its own, not the kernel's: for example\n"
                               "  --address 198.51.100.2/24 --host-address 198.51.100.1/24");
}

constexpr const char* exit_codes =
    "Exit codes: 0 done, 1 failure (of the device, the network or a file), 2 wrong usage, 130 interrupted twice.";

std::optional<virtual_host> parse_virtual_host(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) return std::nullopt;
  virtual_host one{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
  std::error_code ignored;
  if (!std::filesystem::is_directory(one.folder, ignored)) return std::nullopt;
  return one;
}

std::optional<error_page> parse_error_page(std::string_view text) {
  const auto status = text.substr(0, text.find('='));
  if (status.size() == text.size() || status.size() != 3 || status[0] < '4' || status[0] > '5') return std::nullopt;
  error_page one{0, std::string(text.substr(status.size() + 1))};
  const auto end = std::from_chars(status.data(), status.data() + status.size(), one.status).ptr;
  std::error_code ignored;
  if (end != status.data() + status.size() || !std::filesystem::is_regular_file(one.file, ignored)) return std::nullopt;
  return one;
}

void check_serve(const serve_options& o) {
  if (o.folder.empty() && !o.echo)
    throw CLI::ValidationError("DIR", "what is to be served? A folder, such as \".\", or --echo");
  if (!o.folder.empty() && o.echo) throw CLI::ValidationError("DIR", "serve either a folder or --echo");
  check_network(o.network);
  check_effort(o);
}

CLI::App* add_serve(CLI::App& app, serve_options& o) {
  CLI::App* c = app.add_subcommand("serve", "Serve a folder over HTTP");
  c->add_option("DIR", o.folder, "the folder")->check(CLI::ExistingDirectory)->type_name("");
  c->add_flag("--echo", o.echo, "serve a site to try HTTP clients on, instead of a folder; /help says what it has");
  c->add_flag("--listing", o.listing, "show what a directory without index.html holds");
  c->add_flag("--plain", o.plain, "send no Content-Encoding (gzip, br, zstd), whatever a client accepts");
  add_list(*c, "--host", o.hosts, parse_virtual_host, "a host and an existing folder, such as example.com=/srv/example",
           "another folder for requests to that host; *.example.com is every host below it; may be repeated")
      ->type_name("NAME=DIR");
  add_list(*c, "--error-page", o.error_pages, parse_error_page,
           "a status and an existing file, such as 404=/srv/404.html",
           "an HTML page for that status, save where a request breaks a rule; may be repeated")
      ->type_name("STATUS=FILE");
  c->add_flag("--trace", o.trace, "answer TRACE by the request");
  c->add_option("--port", o.port, "TCP port")->capture_default_str()->check(CLI::Range(1, 65535))->type_name("N");
  c->add_option("--backlog", o.backlog,
                "connections that may be half open; beyond it SYN cookies let clients in (RFC 4987)")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N");
  const char* const bounds = "What a client may take";
  add_seconds(*c, "--idle-timeout", o.idle_timeout, shortest_timeout, longest_msl,
              "close a connection that asks for nothing so long (default: 75)")
      ->group(bounds);
  add_seconds(*c, "--head-timeout", o.head_timeout, shortest_timeout, longest_msl,
              "for the head of a request, from its first octet on (default: 10)")
      ->group(bounds);
  add_seconds(*c, "--content-timeout", o.content_timeout, shortest_timeout, longest_msl,
              "for the next octets of its content (default: 30)")
      ->group(bounds);
  add_seconds(*c, "--send-timeout", o.send_timeout, shortest_timeout, longest_msl,
              "for taking the next octets of a response (default: 60)")
      ->group(bounds);
  c->add_option("--least-rate", o.least_rate,
                "octets a second that a client must send or take on average, beyond those timeouts (default: any)")
      ->type_name("N")
      ->group(bounds);
  c->add_option("--max-content", o.most_content,
                "largest content of a request, in octets or as 8m, 5g (default: 8m; with --echo 1t)")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE")
      ->group(bounds);
  c->add_option("--max-connections", o.connections_of_a_client, "connections at once from one address (default: any)")
      ->type_name("N")
      ->group(bounds);
  const char* const logging = "Logging";
  c->add_option("--access-log", o.access_log, "append a line for each response to FILE; \"-\" is the standard output")
      ->type_name("FILE")
      ->group(logging);
  c->add_option_function<std::string>(
       "--log-format",
       [&o](const std::string& text) {
         if (text != "combined" && text != "json")
           throw CLI::ValidationError("--log-format", '"' + text + "\" is not combined or json");
         o.log_as = text == "json" ? log_format::json : log_format::combined;
       },
       "combined (default) or json")
      ->type_name("NAME")
      ->group(logging);
  c->add_flag("--fast-open", o.fast_open, "answer a request that comes with its SYN and a cookie (TCP Fast Open)");
  add_network_options(*c, o.network);
  add_sending_options(*c, o.network);
  add_effort_options(*c, o.network);
  c->footer(
      std::string("Ctrl-C finishes the responses under way and closes all connections, for at most 4 s; a second one "
                  "aborts at once.\n\nExample, as root:\n"
                  "  tunic serve . --address 198.51.100.2/24 --host-address 198.51.100.1/24\n"
                  "  curl http://198.51.100.2/\n\n") +
      exit_codes);
  return c;
}

CLI::App* add_get(CLI::App& app, get_options& o) {
  CLI::App* c = app.add_subcommand("get", "Fetch a URL over HTTP");
  c->add_option("URL", o.url, "http://ADDRESS[:PORT]/PATH; names are not resolved")->required()->type_name("");
  c->add_option("-o,--output", o.output, "write the body to FILE instead of the standard output")->type_name("FILE");
  c->add_flag("-I,--head", o.head, "ask for the head alone and print it");
  c->add_flag("--fast-open", o.fast_open,
              "ask for a cookie of TCP Fast Open, and send what follows a redirect with the SYN");
  add_network_options(*c, o.network);
  add_sending_options(*c, o.network);
  c->footer(
      "Example, as root, with a web server on the kernel's side:\n"
      "  tunic get http://198.51.100.1/ --address 198.51.100.2/24 --host-address 198.51.100.1/24\n\n"
      "Exit codes: 0 done, 1 failure of the network or of HTTP, 2 wrong usage, 22 an HTTP status of 400 or more\n"
      "(its body is not written), 130 interrupted.");
  return c;
}

CLI::App* add_ping(CLI::App& app, ping_options& o) {
  CLI::App* c = app.add_subcommand("ping", "Send ICMP echo requests");
  c->add_option_function<std::string>(
       "ADDRESS",
       [&o](const std::string& text) {
         const auto a = address::parse(text);
         if (!a) throw CLI::ValidationError("ADDRESS", '"' + text + "\" is not an address, such as 198.51.100.1");
         o.destination = *a;
       },
       "whom to ask, IPv4 or IPv6")
      ->required()
      ->type_name("");
  c->add_option("-c,--count", o.count, "stop after so many requests (default: Ctrl-C stops)")
      ->check(CLI::PositiveNumber)
      ->type_name("COUNT");
  c->add_option("-s,--size", o.size, "octets of text in each request")
      ->capture_default_str()
      ->check(CLI::Range(0, 65507))
      ->type_name("SIZE");
  add_seconds(*c, "-i,--interval", o.interval, shortest_interval, longest_interval,
              "between two requests (default: 1)");
  add_network_options(*c, o.network);
  c->footer(
      "Example, as root:\n"
      "  tunic ping 198.51.100.1 -c 3 --address 198.51.100.2/24 --host-address 198.51.100.1/24\n\n"
      "Exit codes: 0 at least one reply, 1 none or a failure, 2 wrong usage.");
  return c;
}

CLI::App* add_ladder(CLI::App& app, ladder_options& o) {
  CLI::App* c =
      app.add_subcommand("ladder", "Print the TCP connections of a capture as ladders, with the states of both ends");
  c->add_option("FILE", o.file, "pcapng or pcap, of raw IP or Ethernet; \"-\" is the standard input")
      ->required()
      ->type_name("");
  c->footer(
      "Example:\n"
      "  tunic serve . --address 198.51.100.2/24 --host-address 198.51.100.1/24 --pcap a.pcapng\n"
      "  tunic ladder a.pcapng\n\n"
      "Exit codes: 0 done, 1 no capture, 2 wrong usage.");
  return c;
}

}  // namespace

command parse_command_line(int argc, char** argv) {
  CLI::App app{"A TCP/IP stack that lives inside this process: it shares nothing with the kernel's but a TUN device.",
               "tunic"};
  app.set_version_flag("--version", "tunic " TUNIC_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(26);
  app.footer("'tunic COMMAND --help' has the options and an example of each.");

  serve_options serve;
  get_options get;
  ping_options ping;
  ladder_options ladder;
  impair_options impair;
  const CLI::App* const served = add_serve(app, serve);
  const CLI::App* const got = add_get(app, get);
  const CLI::App* const pinged = add_ping(app, ping);
  const CLI::App* const impaired = add_impair(app, impair);
  add_ladder(app, ladder);
  try {
    app.parse(argc, argv);
    if (*served) return check_serve(serve), serve;
    if (*got) {
      check_network(get.network);
      const auto url = http::parse_url(get.url);
      if (!url)
        throw CLI::ValidationError("URL", '"' + get.url + "\" is not an http:// URL, such as http://198.51.100.1/");
      return get;
    }
    if (*pinged) return check_network(ping.network), ping;
    if (*impaired) return resolve(impair), impair;
    return ladder;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? exit_ok : exit_usage;
  }
}

}  // namespace tunic::app
