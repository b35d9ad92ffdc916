// The guest's init: PID 1 of a User-Mode Linux kernel, which is a mode of this program itself.
//
// It furnishes the kernel (proc, sys, dev, run, cgroups, modules, loopback), starts the command of
// the order with the caller's directory, environment and limits, carries its output to the serial
// lines, passes signals on, reaps orphans, writes the command's exit status into the meeting place
// and switches the kernel off. The host's files are the root, /tmp and all, so that paths mean what
// they mean outside.
//
// Threading: one thread. Errors go to the console, which the outside quotes when there is no exit
// status.

#pragma once

namespace sunder::uml {

// Precondition: we are PID 1 of a kernel of our own. Switches that kernel off.
[[noreturn]] void be_guest();

}  // namespace sunder::uml
