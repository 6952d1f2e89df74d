#pragma once
// Processor questions that Swift cannot ask: the affinity mask and the instruction sets.

extern int sched_getaffinity(int pid, unsigned long size, void *mask);

/// The number of processors this process may run on, at least 1.
static inline int host_usable_processors(void) {
  unsigned long mask[128];
  for (int i = 0; i < 128; i++) mask[i] = 0;
  int bytes = sched_getaffinity(0, sizeof mask, mask);
  if (bytes != 0) return 1;
  int count = 0;
  for (int i = 0; i < 128; i++) count += __builtin_popcountl(mask[i]);
  return count > 0 ? count : 1;
}

/// The instruction sets the code was compiled for, in words.
static inline const char *host_built_for(void) {
#if defined(__AVX512F__)
  return "x86-64-v4 (AVX-512)";
#elif defined(__AVX2__)
  return "x86-64-v3 (AVX2, FMA)";
#elif defined(__x86_64__)
  return "portable x86-64";
#elif defined(__aarch64__)
  return "arm64";
#else
  return "this architecture";
#endif
}

/// Whether this processor has the instruction sets the code was compiled for.
static inline int host_can_run_this_build(void) {
#if defined(__AVX512F__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("fma");
#elif defined(__AVX2__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return 1;
#endif
}

/// Tells the processor that this thread spins.
static inline __attribute__((always_inline)) void host_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
