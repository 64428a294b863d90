// Kernels of both types on the best instructions of the machine. Highway 1.0.3 (Debian 12) exports
// functions alone (its own macro for templates came later), so this exports a template as two.
//
//   WEFT_EXPORT(softmax_rows);               where HWY_EXPORT would stand; of `template <class T>`
//   WEFT_DISPATCH(softmax_rows, T)(x, y, n)  as HWY_DYNAMIC_DISPATCH; T is float or double
//
// Include it behind hwy/highway.h.
#pragma once

#include <type_traits>

namespace weft::kernels {

/// The first for float, the second for double.
template <class T, class OfFloat, class OfDouble>
auto of_type(OfFloat* of_float, OfDouble* of_double) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
  if constexpr (std::is_same_v<T, float>)
    return of_float;
  else
    return of_double;
}

}  // namespace weft::kernels

#if HWY_IDE || ((HWY_TARGETS & (HWY_TARGETS - 1)) == 0)  // one target: nothing to choose

#define WEFT_EXPORT_AS(table, ...) static_assert(true)
#define WEFT_DISPATCH(name, T) (&HWY_STATIC_DISPATCH(name<T>))

#else

// As HWY_EXPORT, but for the name of the table.
#define WEFT_EXPORT_AS(table, ...)                                                       \
  static decltype(&HWY_STATIC_DISPATCH(__VA_ARGS__)) const HWY_DISPATCH_TABLE(           \
      table)[HWY_MAX_DYNAMIC_TARGETS + 2] = {                                            \
      &decltype(hwy::DeduceFunctionCache(                                                \
          &HWY_STATIC_DISPATCH(__VA_ARGS__)))::ChooseAndCall<HWY_DISPATCH_TABLE(table)>, \
      HWY_CHOOSE_TARGET_LIST(__VA_ARGS__),                                               \
      HWY_CHOOSE_FALLBACK(__VA_ARGS__),                                                  \
  }
#define WEFT_DISPATCH(name, T)                                         \
  (::weft::kernels::of_type<T>(&HWY_DYNAMIC_DISPATCH(name##_of_float), \
                               &HWY_DYNAMIC_DISPATCH(name##_of_double)))

#endif

#define WEFT_EXPORT(name)                       \
  WEFT_EXPORT_AS(name##_of_float, name<float>); \
  WEFT_EXPORT_AS(name##_of_double, name<double>)
