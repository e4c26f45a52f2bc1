// 1 x 8 x 14 x 14 planes, 2 x 2 windows, stride 2
extern "C" __global__ void __launch_bounds__(56)
    sumpool(float *__restrict__ input0, float *__restrict__ output0) {
  float total[1];
  for (int row = 0; row < 7; row += 1) {
    int col = ((int)threadIdx.x) % 7;
    int plane = ((int)threadIdx.x) / 7;
    total[0] = 0.0f;
    for (int rv0 = 0; rv0 < 2; ++rv0)
      for (int rv1 = 0; rv1 < 2; ++rv1)
        total[0] = total[0] + input0[plane * 196 + (row * 2 + rv0) * 14 + col * 2 + rv1];
    output0[plane * 49 + row * 7 + col] = total[0];
  }
}
