import torch
from torch import nn


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 16)
        self.pos = nn.Embedding(8, 16)
        self.blocks = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True, norm_first=True), 4
        )
        self.ln = nn.LayerNorm(16)
        self.head = nn.Linear(16, 20, bias=False)
        self.head.weight = self.emb.weight

    def forward(self, i):
        h = self.emb(i) + self.pos(torch.arange(i.size(1)))
        m = nn.Transformer.generate_square_subsequent_mask(i.size(1))
        return self.head(self.ln(self.blocks(h, mask=m)))


torch.manual_seed(0)
m = GPT()
opt = torch.optim.AdamW(m.parameters(), 1e-3, weight_decay=0.1)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1, (s + 1) / 5))
for _step in range(6):
    i = torch.randint(0, 20, (4, 8))
    loss = nn.functional.cross_entropy(m(i[:, :-1]).flatten(0, 1), i[:, 1:].flatten())
    opt.zero_grad(set_to_none=False)
    loss.backward()
    nn.utils.clip_grad_norm_(m.parameters(), 1.0)
    opt.step()
    sched.step()
