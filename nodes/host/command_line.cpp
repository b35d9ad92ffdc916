#include "nodes/host/command_line.hpp"

#include <charconv>
#include <iostream>
#include <optional>

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <fmt/format.h>

#include "harness/base/duration.hpp"

namespace sunder::nodes::host {
namespace {

using base::make_error;

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct Texts {
  std::string listen;
  std::string peers;
  std::string tick = "20ms";
};

Result<HostOptions> interpret(HostOptions options, const Texts& texts) {
  const auto number = parse_node_name(options.id);
  if (number.has_error()) return base::with_context(number.error(), "--id");
  options.number = *number;
  const auto listen = parse_endpoint(texts.listen);
  if (listen.has_error()) return base::with_context(listen.error(), "--listen");
  options.listen = *listen;
  auto peers = parse_peers(texts.peers);
  if (peers.has_error()) return base::with_context(peers.error(), "--peers");
  options.peers = std::move(*peers);
  if (!options.peers.contains(options.number)) {
    return make_error(Errc::usage, fmt::format("--peers: does not name this node, {}", options.id));
  }
  const auto tick = base::parse_duration(texts.tick);
  if (tick.has_error()) return base::with_context(tick.error(), "--tick");
  if (*tick < std::chrono::milliseconds(1) || *tick > std::chrono::seconds(10)) {
    return make_error(Errc::usage, "--tick: between 1ms and 10s");
  }
  options.tick = *tick;
  return options;
}

}  // namespace

Result<std::uint32_t> parse_node_name(std::string_view name) {
  const bool named = name.size() > 1 && name.front() == 'n' && name[1] != '0';
  const auto number = named ? parse_number<std::uint32_t>(name.substr(1)) : std::nullopt;
  if (!number || *number > 1000) {
    return make_error(Errc::usage, fmt::format("'{}' is not a node name such as n1", name));
  }
  return *number;
}

std::string node_name(std::uint32_t number) {
  return fmt::format("n{}", number);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    boost::system::error_code error;
    const auto address =
        boost::asio::ip::make_address_v4(std::string(text.substr(0, colon)), error);
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    if (!error && port) return Endpoint(address, *port);
  }
  return make_error(Errc::usage, fmt::format("'{}' is not an address such as 10.0.0.1:7000", text));
}

Result<std::map<std::uint32_t, Endpoint>> parse_peers(std::string_view text) {
  std::map<std::uint32_t, Endpoint> peers;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) {
      return make_error(Errc::usage, fmt::format("'{}' is not of the form n1=ADDRESS:PORT", item));
    }
    const auto number = parse_node_name(item.substr(0, equals));
    if (number.has_error()) return number.error();
    const auto endpoint = parse_endpoint(item.substr(equals + 1));
    if (endpoint.has_error()) return endpoint.error();
    if (!peers.emplace(*number, *endpoint).second) {
      return make_error(Errc::usage, fmt::format("'{}' is named twice", item.substr(0, equals)));
    }
  }
  return peers;
}

Result<HostOptions> parse_command_line(int argc,
                                       const char* const* argv,
                                       const std::function<void(CLI::App&)>& more) {
  HostOptions options;
  Texts texts;
  std::string data_directory;
  CLI::App app("A node of sunder: a real server that speaks RESP to clients.");
  app.add_option("--id", options.id, "This node's name: n1, n2, …")->required();
  app.add_option("--listen", texts.listen, "Where clients connect: ADDRESS:PORT")->required();
  app.add_option("--peers", texts.peers, "Every node: n1=ADDRESS:PORT,n2=…")->required();
  app.add_option("--data-dir", data_directory, "Where durable state is kept")->required();
  app.add_option("--mode", options.mode, "What kind of node")->required();
  app.add_option("--seed", options.seed, "Seed of every random choice");
  app.add_option("--tick", texts.tick, "Unit of protocol time")->capture_default_str();
  app.add_option("--sabotage", options.sabotage, "A deliberate bug");
  more(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return HostOptions();
  } catch (const CLI::ParseError& error) {
    return make_error(Errc::usage, error.what());
  }
  options.data_directory = data_directory;
  return interpret(std::move(options), texts);
}

}  // namespace sunder::nodes::host
