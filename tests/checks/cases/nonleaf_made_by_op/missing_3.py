import torch
latent = torch.zeros(4, requires_grad=True)
latent = latent + 0.1  # <<
for _ in range(2):
    loss = (latent * torch.arange(4.)).sum()
    loss.backward()
print(latent.grad)  # <<
