// A statically linked program that prints the time in seconds: no library can be preloaded into it.

#include <cstdio>
#include <ctime>

int main() {
  std::printf("%lld\n", static_cast<long long>(std::time(nullptr)));
  return 0;
}
