void sgd_step(float *w, const float *g, float *buf, int n, float lr, float mu, float weight_decay,
              int nesterov)
{
    for (int i = 0; i < n; i++) {
        const float grad = g[i] + weight_decay * w[i];
        buf[i] = mu * buf[i] + grad;
        w[i] -= lr * (nesterov ? grad + mu * buf[i] : buf[i]);
    }
}
