// sunder-kv: a replicated key-value store that speaks RESP, by Raft or by quorums.

#include "nodes/kv/state_machine.hpp"
#include "nodes/quorum/program.hpp"
#include "nodes/replica/program.hpp"

namespace {

using namespace sunder::nodes;

constexpr std::string_view kName = "sunder-kv";

std::unique_ptr<replica::Machine> make_machine(std::string_view) {
  return std::make_unique<kv::StateMachine>();
}

}  // namespace

int main(int argc, char** argv) {
  if (quorum::is_asked_for(argc, argv)) return quorum::run_program(argc, argv, kName);
  return replica::run_program(
      argc, argv, {.name = kName, .mode = "raft", .sabotages = {}, .make_machine = &make_machine});
}
