#pragma once

// What the loader calls to choose among clones runs before a sanitizer is ready. (Clang tells of one by
// features.)
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STACKAE_SANITIZED
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define STACKAE_SANITIZED
#endif
#endif

/// Kernels marked so are compiled for several instruction sets and chosen when the program is loaded.
#if defined(__x86_64__) && !defined(STACKAE_SANITIZED) && (!defined(__clang__) || __clang_major__ >= 14)
#define STACKAE_VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define STACKAE_VECTORIZED
#endif
