// sunder-kv: a replicated key-value store that speaks RESP.

#include "nodes/kv/state_machine.hpp"
#include "nodes/replica/program.hpp"

namespace {

using namespace sunder::nodes;

std::unique_ptr<replica::Machine> make_machine(std::string_view) {
  return std::make_unique<kv::StateMachine>();
}

}  // namespace

int main(int argc, char** argv) {
  return replica::run_program(
      argc,
      argv,
      {.name = "sunder-kv", .mode = "raft", .sabotages = {}, .make_machine = &make_machine});
}
