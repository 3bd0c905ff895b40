// kubernetes-mcp-server, the MCP server that reads clusters for models, over the lab's API server.
import { pathOf } from '../binaries.ts'
import { answers } from '../ground.ts'
import { kubeconfigOf } from './control-plane.ts'
import type { Part } from './part.ts'

export const kubernetesMcpServer: Part = {
  needs: ['kube-apiserver'],
  binaries: ['kubernetes-mcp-server'],
  what: 'the MCP server that reads the cluster',
  async start(ground) {
    const port = await ground.port()
    const args = ['--port', String(port), '--bind-address', '127.0.0.1', '--kubeconfig', kubeconfigOf(ground, 'admin'), '--read-only', '--stateless']
    await ground.run({ name: 'kubernetes-mcp-server', program: pathOf('kubernetes-mcp-server'), args, ready: () => answers(`http://127.0.0.1:${port}/healthz`) })
    return { mcpServer: `http://127.0.0.1:${port}/mcp` }
  },
}
