// sunder-queue: replicated queues that speak RESP. --kind says what they promise.

#include <CLI/CLI.hpp>

#include "nodes/queue/work_queues.hpp"
#include "nodes/replica/program.hpp"

namespace {

using namespace sunder::nodes;

// Flags of every kind; the same on all nodes of a cluster, because they decide what entries do.
struct Flags {
  std::string kind;
  std::size_t deliveries_max = 5;
  std::size_t length_max = 10'000;
};

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--kind", flags.kind, "What kind of queues: work")
      ->required()
      ->check(CLI::IsMember({"work"}));
  app.add_option("--max-deliveries", flags.deliveries_max, "Then a message is a dead letter")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--max-length", flags.length_max, "Messages of one queue, dead ones included")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
}

std::unique_ptr<replica::Machine> make_machine(const Flags& flags, std::string_view sabotage) {
  queue::WorkOptions options;
  options.deliveries_max = flags.deliveries_max;
  options.length_max = flags.length_max;
  options.sabotage = queue::work_sabotage_named(sabotage).value_or(queue::WorkSabotage::none);
  return std::make_unique<queue::WorkQueues>(options);
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  return replica::run_program(
      argc,
      argv,
      {.name = "sunder-queue",
       .mode = "queue",
       .sabotages = queue::work_sabotage_names(),
       .make_machine =
           [&flags](std::string_view sabotage) { return make_machine(flags, sabotage); },
       .add_flags = [&flags](CLI::App& app) { add_flags(app, flags); }});
}
