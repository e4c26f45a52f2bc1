// What CUDA's own samples use of their helper headers.
#pragma once
#define checkCudaErrors(x) (x)
#define getLastCudaError(msg)
#define printLastCudaError(msg)
#define EXIT_WAIVED 2
#ifndef MAX
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif
#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#endif
struct StopWatchInterface;
int findCudaDevice(int, const char**);
int gpuGetMaxGflopsDeviceId();
bool checkCmdLineFlag(int, const char**, const char*);
int getCmdLineArgumentInt(int, const char**, const char*);
bool sdkCreateTimer(StopWatchInterface**);
bool sdkStartTimer(StopWatchInterface**);
bool sdkStopTimer(StopWatchInterface**);
bool sdkResetTimer(StopWatchInterface**);
bool sdkDeleteTimer(StopWatchInterface**);
float sdkGetTimerValue(StopWatchInterface**);
float sdkGetAverageTimerValue(StopWatchInterface**);
template <class T> bool compareData(T*, T*, unsigned, T, float);
