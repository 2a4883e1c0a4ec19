import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)
layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
opt = torch.optim.AdamW(layer.parameters(), 1e-3, weight_decay=0.1)
for _ in range(3):
    x = torch.randn(2, 5, 8)
    out = layer(x, src_mask=nn.Transformer.generate_square_subsequent_mask(5), is_causal=True)
    loss = (
        functional.cosine_similarity(out, x, dim=-1).mean()
        + torch.where(out > 0, out.clamp(min=1e-3).log(), 0.0).mean()
        + out.pow(2).sum(-1).add(1e-6).sqrt().mean()
    )
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
    opt.step()
